// The first verified entry: log one call, then check the log as somebody else would.
import { AuditLogger, FileStorage, Signer, verifyLog } from "@ai-audit/core";

const signer = await Signer.generate("acme"); // in production: Signer.fromEnv("acme")
const logger = new AuditLogger(new FileStorage({ path: "./audit-logs/first", signer }));

const id = await logger.log({
  input: "What is the capital of France?",
  output: "Paris.",
  provider: "in-house",
  model: "qa-7b",
}); // on disk and sealed
const entry = await logger.getEntry(id);
console.log(entry?.timestamp, entry?.model, entry?.inputContent, entry?.inputHash);
await logger.close();

const { verdict } = await verifyLog("./audit-logs/first", { trustedKeys: [signer.vkey] });
console.log(verdict);
