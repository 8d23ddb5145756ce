import { Document } from "@langchain/core/documents";
import { BaseRetriever } from "@langchain/core/retrievers";
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { type ChatOpenAI, OpenAI } from "@langchain/openai";
import { createAgent } from "langchain";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AuditCallbackHandler } from "../src/index.ts";
import { API_KEY, HEADER_SECRET, startBench } from "./fixtures.ts";
import { chatFor, failure, responded } from "./openai-server.ts";

it("No key, header or defaultHeaders value is in any line of the log, whatever happens", async () => {
  await using bench = await startBench();
  const directory = await mkdtemp(join(tmpdir(), "ai-audit-secrets-"));
  try {
    const logger = new AuditLogger(new FileStorage({ path: directory }), { storeContent: true });
    const handler = new AuditCallbackHandler(logger, {
      captureChains: "all",
      captureRetrievers: true,
      intent: true,
    });
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
      () =>
        failure(401, {
          message: `Incorrect API key provided: ${API_KEY}.`,
          code: "invalid_api_key",
        }),
      () =>
        failure(400, {
          message: `Bad header authorization: Bearer ${API_KEY}`,
          code: "content_filter",
        }),
    ];
    for (const reply of replies) {
      bench.server.respond = reply ?? ((request) => chatFor(request, "Hi."));
      await Promise.allSettled(attempts.map((attempt) => attempt()));
    }
    await logger.close();
    const files = await readdir(directory);
    const log = (
      await Promise.all(files.map((file) => readFile(join(directory, file), "utf8")))
    ).join("");
    expect(log.match(/"operation"/g)?.length).toBeGreaterThan(30);
    const secrets = [API_KEY, API_KEY.slice(-12), HEADER_SECRET, "x-internal", "defaultHeaders"];
    expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

describe("Credentials in what a program hands over", () => {
  const TOKEN = "tok-4711-secret";
  const server = {
    type: "mcp",
    server_label: "shelf",
    server_url: `https://user:${TOKEN}@mcp.example/sse?token=${TOKEN}`,
    authorization: TOKEN,
    headers: { "x-key": TOKEN },
  };

  it.each<[string, object, object]>([
    ["a tool's definition", { tools: [server] }, {}],
    [
      "LangChain's metadata",
      {},
      { headers: { authorization: TOKEN }, endpoint: { url: server.server_url } },
    ],
  ])("are censored, and what is beside them stays: %s", async (_, options, metadata) => {
    await using bench = await startBench(() => responded("Hi."), {
      metadataKeys: ["headers", "endpoint"],
    });
    const model = bench.model({ useResponsesApi: true });
    await model.invoke("Hello!", {
      callbacks: [bench.handler],
      metadata: { ...metadata },
      ...options,
    });
    const [entry] = await bench.entries();
    const log = JSON.stringify([entry, bench.content(entry)]);
    expect(log).toContain("mcp.example");
    expect(log).toContain("[REDACTED]");
    expect(log).not.toContain(TOKEN);
  });
});

const SECRETS = [API_KEY, API_KEY.slice(-12), HEADER_SECRET, "x-internal"];

class Shelf extends BaseRetriever {
  lc_namespace = ["test"];
  readonly #model: ChatOpenAI;
  constructor(model: ChatOpenAI) {
    super();
    this.#model = model;
  }
  override async _getRelevantDocuments(): Promise<Document[]> {
    return [new Document({ pageContent: "kept", metadata: { model: this.#model } })];
  }
}

const made = (output: unknown) =>
  tool(() => output, { name: "make", description: "Makes.", schema: z.object({}) });

describe("A live object that is handed on", () => {
  const schema = z.object({ model: z.any() });
  it.each<
    [
      string,
      (
        model: ChatOpenAI,
        client: AuditedOpenAI,
      ) => { invoke(input: never, config: object): Promise<unknown> },
      unknown,
    ]
  >([
    [
      "a chain's input",
      () => RunnableLambda.from(({ kept }: { kept: string }) => kept),
      { kept: "kept" },
    ],
    ["a chain's output", (model) => RunnableLambda.from(() => ({ model, kept: "kept" })), "in"],
    [
      "a tool's argument",
      () => tool(() => "kept", { name: "use", description: "Uses.", schema }),
      {},
    ],
    ["a tool's result", (model) => made({ bound: model.bindTools([]), model, kept: "kept" }), {}],
    ["a provider's client", (_, client) => made({ client, kept: "kept" }), {}],
    [
      "a client's options",
      () =>
        made({ apiKey: API_KEY, defaultHeaders: { "x-internal": HEADER_SECRET }, kept: "kept" }),
      {},
    ],
    ["a document's metadata", (model) => new Shelf(model), "in"],
  ])(
    "leaves no configuration in an entry, and what is beside it stays: %s",
    async (_, make, input) => {
      await using bench = await startBench(undefined, {
        captureChains: "all",
        captureRetrievers: true,
        metadataKeys: ["model"],
      });
      const model = bench.model();
      const defaultHeaders = { "x-internal": HEADER_SECRET };
      const client = new AuditedOpenAI({
        apiKey: API_KEY,
        baseURL: bench.server.url,
        defaultHeaders,
        audit: bench.logger,
      });
      const given = typeof input === "object" ? { ...input, model } : input;
      await make(model, client).invoke(given as never, {
        callbacks: [bench.handler],
        metadata: { model },
      });
      const entries = await bench.entries();
      const texts = entries.map((entry) => JSON.stringify([entry, bench.content(entry)]));
      const log = texts.join("");
      expect(log).toContain("kept");
      expect(SECRETS.filter((secret) => log.includes(secret))).toEqual([]);
    },
  );
});
