// By default only hashes are kept. A reader who has the text can check it; the log alone does not show it.
import { AuditLogger } from "@ai-audit/core";

const logger = new AuditLogger("./audit-logs/hashes");
const id = await logger.log({ input: "What is 2 + 2?", output: "4", outcome: "ok" });
const entry = await logger.getEntry(id);
if (!entry) throw new Error("the entry is missing");

console.log("kept:   ", entry.inputContent, entry.inputHash.slice(0, 16));
console.log("claimed:", logger.verifyContent(entry, { input: "What is 2 + 2?", output: "4" }));
console.log("altered:", logger.verifyContent(entry, { input: "What is 2 + 2?", output: "5" }));
await logger.close();
