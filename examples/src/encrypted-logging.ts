// Keep the content, but only for those who hold the key.
import { AuditLogger, EncryptionManager } from "@ai-audit/core";

// In production: EncryptionManager.fromEnv(), with AUDIT_ENCRYPTION_KEY from your secret store.
const encryption = new EncryptionManager();
const key = encryption.getKey(); // keep it: without it the content is gone

const logger = new AuditLogger("./audit-logs/encrypted", { encryption, storeContent: true });
const id = await logger.log({ input: "My account number is 4711.", output: "Thank you." });
const stored = await logger.getEntry(id);
console.log("on disk:  ", stored?.inputContent);
console.log("opened:   ", stored && logger.content(stored));
await logger.close();

// Later, elsewhere, with the key:
const later = new AuditLogger("./audit-logs/encrypted", { encryption: new EncryptionManager(key) });
const found = await later.getEntry(id);
console.log("later:    ", found && later.content(found).input);

// Without the right key the entry is still there, its content is not.
const stranger = new AuditLogger("./audit-logs/encrypted", { encryption: new EncryptionManager() });
try {
  if (found) stranger.content(found);
} catch (error) {
  console.log("stranger: ", error instanceof Error ? error.message : error);
}
