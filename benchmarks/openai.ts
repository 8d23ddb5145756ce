// Cost of AuditedOpenAI for a call of the openai package: CPU, hash-only, file storage. Beside it,
// what tracing of the same call costs: Langfuse and LangSmith, whose spans a server here receives.
//
//   npm run bench -- openai
import { join } from "node:path";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { observeOpenAI } from "@langfuse/openai";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { Client } from "langsmith";
import { wrapOpenAI } from "langsmith/wrappers";
import OpenAI from "openai";
import { comparePairs, startModelServer } from "./support/paired.ts";

const request = {
  model: "gpt-4o-mini",
  messages: [
    { role: "system", content: "Answer briefly." },
    { role: "user", content: "What is the capital of France? ".repeat(8) },
  ],
} satisfies OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

const call = (client: OpenAI) => () => client.chat.completions.create(request);
const stream = (client: OpenAI) => async () => {
  for await (const _ of await client.chat.completions.create({ ...request, stream: true }));
};

await comparePairs(
  import.meta.filename,
  "the client's process a call",
  async (compare, directory) => {
    const server = await startModelServer();
    const options = { apiKey: "bench", baseURL: server.baseURL };
    const plain = new OpenAI(options);
    for (const durability of ["os", "fsync"] as const) {
      const logger = new AuditLogger(
        new FileStorage({ path: join(directory, durability), durability }),
      );
      const audited = new AuditedOpenAI({ ...options, audit: logger });
      await compare({
        name: `chat completion, ${durability}`,
        calls: 1536,
        plain: call(plain),
        audited: call(audited),
      });
      await compare({
        name: `stream of 200 chunks, ${durability}`,
        calls: 128,
        plain: stream(plain),
        audited: stream(audited),
      });
      await logger.close();
    }
    const tracers = new NodeTracerProvider({
      spanProcessors: [
        new LangfuseSpanProcessor({ publicKey: "p", secretKey: "s", baseUrl: server.origin }),
      ],
    });
    tracers.register();
    await compare({
      name: "chat completion, Langfuse",
      calls: 1536,
      plain: call(plain),
      audited: call(observeOpenAI(new OpenAI(options))),
    });
    await tracers.shutdown();
    const langSmith = new Client({ apiUrl: server.origin, apiKey: "bench" });
    await compare({
      name: "chat completion, LangSmith",
      calls: 1536,
      plain: call(plain),
      audited: call(wrapOpenAI(new OpenAI(options), { client: langSmith, tracingEnabled: true })),
    });
    await langSmith.awaitPendingTraceBatches();
    server.stop();
  },
);
