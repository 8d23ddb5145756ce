// One person's content becomes unreadable, and the log still verifies.
import {
  AuditError,
  AuditLogger,
  EncryptionManager,
  FileKeyStore,
  verifyLog,
} from "@ai-audit/core";

const subjects = new FileKeyStore({ path: "./subject-keys" });
const encryption = new EncryptionManager(undefined, { subjects }); // in production: fromEnv
encryption.getKey(); // keep it in your secret store
const logger = new AuditLogger("./audit-logs/erasure", { encryption, storeContent: true });

const id = await logger.log({ input: "I live in Vaduz.", output: "Noted.", subject: "user-123" });
await logger.log({ input: "I live in Bern.", output: "Noted.", subject: "user-456" });
for await (const { input } of logger.exportSubject("user-123")) console.log("access: ", input);

await logger.eraseSubject("user-123", { actor: "dpo@example.com", reason: "request of 3 March" });
const entry = await logger.getEntry(id);
try {
  if (entry) logger.content(entry);
} catch (error) {
  if (AuditError.isInstance(error)) console.log("erased: ", error.code);
}
for await (const { input } of logger.exportSubject("user-456")) console.log("others: ", input);
await logger.close();
console.log((await verifyLog("./audit-logs/erasure")).verdict);
