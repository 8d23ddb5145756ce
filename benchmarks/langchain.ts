// What AuditCallbackHandler adds to a model call of LangChain: CPU, hash-only, file storage.
//
//   npm run bench:langchain
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLogger } from "@ai-audit/core";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import { ChatOpenAI } from "@langchain/openai";
import { comparePair, startModelServer } from "./support/paired.ts";

const server = await startModelServer();
const directory = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
const logger = new AuditLogger(directory);
const model = new ChatOpenAI({ model: "gpt-4o-mini", apiKey: "bench", configuration: { baseURL: server.baseURL } });
const callbacks = [new AuditCallbackHandler(logger)];
const question = "What is the capital of France? ".repeat(8);

console.log(`Node ${process.version}; CPU of the client's process a call, 8 in flight, medians, in turn\n`);
await comparePair({
  name: "ChatOpenAI.invoke",
  calls: 200,
  plain: () => model.invoke(question),
  audited: () => model.invoke(question, { callbacks }),
  targetUs: 100,
});
const read = async (config?: { callbacks: AuditCallbackHandler[] }) => {
  for await (const _ of await model.stream(question, config));
};
await comparePair({
  name: "ChatOpenAI.stream of 200 chunks",
  calls: 40,
  plain: () => read(),
  audited: () => read({ callbacks }),
});
await logger.close();
server.stop();
rmSync(directory, { recursive: true });
