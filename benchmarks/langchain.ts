// What AuditCallbackHandler adds to a model call of LangChain: CPU, hash-only, file storage.
//
//   npm run bench:langchain
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import { ChatOpenAI } from "@langchain/openai";
import { comparePair, IN_FLIGHT, printSyncCost, startModelServer } from "./support/paired.ts";

const server = await startModelServer();
const directory = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
const model = new ChatOpenAI({ model: "gpt-4o-mini", apiKey: "bench", configuration: { baseURL: server.baseURL } });
const question = "What is the capital of France? ".repeat(8);
const read = async (config?: { callbacks: AuditCallbackHandler[] }) => {
  for await (const _ of await model.stream(question, config));
};

console.log(`Node ${process.version}; CPU of the client's process a call, ${IN_FLIGHT} in flight, medians, in turn\n`);
await printSyncCost(directory);
for (const durability of ["os", "fsync"] as const) {
  const logger = new AuditLogger(new FileStorage({ path: join(directory, durability), durability }));
  const callbacks = [new AuditCallbackHandler(logger)];
  await comparePair({
    name: `ChatOpenAI.invoke, ${durability}`,
    calls: 1920,
    plain: () => model.invoke(question),
    audited: () => model.invoke(question, { callbacks }),
    targetUs: 100,
  });
  await comparePair({
    name: `ChatOpenAI.stream, 200 chunks, ${durability}`,
    calls: 160,
    plain: () => read(),
    audited: () => read({ callbacks }),
  });
  await logger.close();
}
server.stop();
rmSync(directory, { recursive: true });
