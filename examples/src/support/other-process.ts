// A second writer for the demo: its own process, its own segment, the same directory.
import { once } from "node:events";
import { AuditLogger, EncryptionManager, FileStorage, Signer } from "@ai-audit/core";

const [, , path = "audit-logs/demo"] = process.argv;
const logger = new AuditLogger(new FileStorage({ path, signer: Signer.fromEnv("demo-bank") }), {
  encryption: EncryptionManager.fromEnv(),
  storeContent: true,
});
process.send?.("ready");
await once(process, "message");
for (let n = 1; n <= 2; n += 1) {
  const metadata = { pid: process.pid };
  await logger.log({
    input: `Night run ${n}`,
    output: "done",
    provider: "in-house",
    outcome: "ok",
    metadata,
  });
}
await logger.close();
process.disconnect();
