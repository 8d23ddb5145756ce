// Cost of AuditedOpenAI for a call of the openai package: CPU, hash-only, file storage.
//
//   npm run bench -- openai
import { join } from "node:path";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
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
    server.stop();
  },
);
