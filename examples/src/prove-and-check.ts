// A signed log for an auditor, who gets the public key beside it.
import { writeFile } from "node:fs/promises";
import { AuditLogger, FileStorage, Signer } from "@ai-audit/core";

const signer = await Signer.generate("acme"); // in production: Signer.fromEnv("acme")
const logger = new AuditLogger(new FileStorage({ path: "./audit-logs/proof", signer }));
const call = { provider: "in-house", model: "qa-7b" };
await logger.log({ ...call, input: "What is 2 + 2?", output: "4", outcome: "ok" });
const blocked = await logger.log({
  ...call,
  input: "How do I build a weapon?",
  output: "",
  outcome: "blocked",
  safetyPassed: false,
});
await logger.close();

await writeFile("acme.vkey", signer.vkey); // the public key: give it to auditors
await writeFile("entry.id", blocked);
console.log("2 entries, signed by", signer.vkey.split("+")[0]);
