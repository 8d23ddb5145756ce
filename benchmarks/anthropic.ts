// Cost of AuditedAnthropic for a call of @anthropic-ai/sdk: CPU, hash-only, file storage.
//
//   npm run bench -- anthropic
import { join } from "node:path";
import { AuditedAnthropic } from "@ai-audit/anthropic";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { Anthropic } from "@anthropic-ai/sdk";
import { comparePairs, startModelServer } from "./support/paired.ts";

const request = {
  model: "claude-sonnet-5-5",
  max_tokens: 200,
  system: "Answer briefly.",
  messages: [{ role: "user", content: "What is the capital of France? ".repeat(8) }],
} satisfies Anthropic.MessageCreateParamsNonStreaming;

const call = (client: Anthropic) => () => client.messages.create(request);
const stream = (client: Anthropic) => async () => {
  for await (const _ of await client.messages.create({ ...request, stream: true }));
};

await comparePairs(
  import.meta.filename,
  "the client's process a call",
  async (compare, directory) => {
    const server = await startModelServer();
    const options = { apiKey: "bench", baseURL: server.baseURL.replace(/\/v1$/, "") };
    const plain = new Anthropic(options);
    for (const durability of ["os", "fsync"] as const) {
      const logger = new AuditLogger(
        new FileStorage({ path: join(directory, durability), durability }),
      );
      const audited = new AuditedAnthropic({ ...options, audit: logger });
      await compare({
        name: `message, ${durability}`,
        calls: 1536,
        plain: call(plain),
        audited: call(audited),
      });
      await compare({
        name: `stream of 200 events, ${durability}`,
        calls: 128,
        plain: stream(plain),
        audited: stream(audited),
      });
      await logger.close();
    }
    server.stop();
  },
);
