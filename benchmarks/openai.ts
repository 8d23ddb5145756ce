// What AuditedOpenAI adds to a call of the openai package: CPU, hash-only, file storage.
//
//   npm run bench:openai
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import OpenAI from "openai";
import { comparePair, IN_FLIGHT, printSyncCost, startModelServer } from "./support/paired.ts";

const server = await startModelServer();
const directory = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
const options = { apiKey: "bench", baseURL: server.baseURL };
const plain = new OpenAI(options);
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

console.log(`Node ${process.version}; CPU of the client's process a call, ${IN_FLIGHT} in flight, medians, in turn\n`);
await printSyncCost(directory);
for (const durability of ["os", "fsync"] as const) {
  const logger = new AuditLogger(new FileStorage({ path: join(directory, durability), durability }));
  const audited = new AuditedOpenAI({ ...options, audit: logger });
  await comparePair({
    name: `chat completion, ${durability}`,
    calls: 2048,
    plain: call(plain),
    audited: call(audited),
    targetUs: 60,
  });
  await comparePair({
    name: `stream of 200 chunks, ${durability}`,
    calls: 320,
    plain: stream(plain),
    audited: stream(audited),
    targetUs: 200,
  });
  await logger.close();
}
server.stop();
rmSync(directory, { recursive: true });
