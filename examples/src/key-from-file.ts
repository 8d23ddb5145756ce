// The key comes from a file, a secret manager or the environment; the program holds no secret.
import { writeFile } from "node:fs/promises";
import { AuditLogger, EncryptionManager, fileKeys, generateKey } from "@ai-audit/core";

// Your secret store writes this file. Only its owner may read it.
await writeFile("audit.key", generateKey(), { mode: 0o600 });

const encryption = await EncryptionManager.fromProvider(fileKeys("audit.key"));
const logger = new AuditLogger("./audit-logs/file-key", { encryption, storeContent: true });
const id = await logger.log({ input: "My account number is 4711.", output: "Thank you." });
const entry = await logger.getEntry(id);
console.log("on disk:", entry?.inputContent?.slice(0, 3), "…");
console.log("opened: ", entry && logger.content(entry).input);
await logger.close();

// EncryptionManager.fromEnv() reads AUDIT_ENCRYPTION_KEY, and refuses when it is missing.
try {
  EncryptionManager.fromEnv("NO_SUCH_VARIABLE");
} catch (error) {
  console.log("missing:", error instanceof Error ? error.message : error);
}
