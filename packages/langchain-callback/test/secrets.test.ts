import { tool } from "@langchain/core/tools";
import { OpenAI } from "@langchain/openai";
import { createAgent } from "langchain";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { AuditCallbackHandler } from "../src/index.ts";
import { API_KEY, HEADER_SECRET, startBench } from "./fixtures.ts";
import { chatFor, failure } from "./openai-server.ts";

it("No key, header or defaultHeaders value is in any line of the log, whatever happens", async () => {
  await using bench = await startBench();
  const directory = await mkdtemp(join(tmpdir(), "ai-audit-secrets-"));
  try {
    const logger = new AuditLogger(new FileStorage({ path: directory }), { storeContent: true });
    const handler = new AuditCallbackHandler(logger, { captureChains: "all", captureRetrievers: true, intent: true });
    const callbacks = [handler];
    const call = { callbacks, options: { headers: { "x-internal": HEADER_SECRET } } };
    const model = bench.model({ callbacks });
    const look = tool(() => "blue", { name: "look", description: "Looks.", schema: z.object({}) });
    const llm = new OpenAI({
      apiKey: API_KEY,
      callbacks,
      maxRetries: 0,
      configuration: { baseURL: bench.server.url, defaultHeaders: { "x-internal": HEADER_SECRET } },
    });
    const attempts = [
      () => model.invoke("Hello!", call),
      async () => {
        for await (const _ of await model.stream("Hello!", call));
      },
      async () => {
        for await (const _ of model.streamEvents("Hello!", { ...call, version: "v2" }));
      },
      () => model.bindTools([look]).invoke("Hello!", call),
      () => model.withStructuredOutput(z.object({ a: z.number() })).invoke("Hello!", call),
      () => bench.model({ useResponsesApi: true }).invoke("Hello!", call),
      () => createAgent({ model, tools: [look] }).invoke({ messages: "Hello!" }, { callbacks }),
      () => llm.invoke("Hello!"),
    ];
    const replies = [
      undefined,
      () => failure(401, { message: `Incorrect API key provided: ${API_KEY}.`, code: "invalid_api_key" }),
      () => failure(400, { message: `Bad header authorization: Bearer ${API_KEY}`, code: "content_filter" }),
    ];
    for (const reply of replies) {
      bench.server.respond = reply ?? ((request) => chatFor(request, "Hi."));
      await Promise.allSettled(attempts.map((attempt) => attempt()));
    }
    await logger.close();
    const files = await readdir(directory);
    const log = (await Promise.all(files.map((file) => readFile(join(directory, file), "utf8")))).join("");
    expect(log.match(/"operation"/g)?.length).toBeGreaterThan(30);
    const secrets = [API_KEY, API_KEY.slice(-12), HEADER_SECRET, "x-internal", "defaultHeaders"];
    expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
