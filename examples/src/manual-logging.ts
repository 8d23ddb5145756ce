// Log by hand: any model, any SDK, one call.
import { AuditLogger, verifyLog } from "@ai-audit/core";

const logger = new AuditLogger("./audit-logs/manual", { storeContent: true });
const id = await logger.log({
  input: "What is 2 + 2?",
  output: "4",
  provider: "openai",
  model: "gpt-4o-mini",
  conversationId: "conv-1",
  latencyMs: 180,
  inputTokens: 9,
  outputTokens: 1,
  metadata: { user_id: "u-17" },
});

const entry = await logger.getEntry(id);
console.log(entry);
console.log(entry && logger.verifyContent(entry, { input: "What is 2 + 2?", output: "5" })); // { input: true, output: false }

const since = new Date(Date.now() - 3_600_000);
console.log(`${(await logger.getEntries(since, new Date())).length} entries in the last hour`);
await logger.close();
console.log((await verifyLog("./audit-logs/manual")).verdict);
