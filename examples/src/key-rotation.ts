// A new key writes, the old one still opens what it wrote.
import { AuditLogger, EncryptionManager, generateKey } from "@ai-audit/core";

const [v1, v2] = [generateKey(), generateKey()];
const path = "./audit-logs/rotation";

const before = new AuditLogger(path, {
  encryption: new EncryptionManager({ current: "v1", keys: { v1 } }),
  storeContent: true,
});
await before.log({ input: "from before", output: "" });
await before.close();

const after = new AuditLogger(path, {
  encryption: new EncryptionManager({ current: "v2", keys: { v1, v2 } }),
  storeContent: true,
});
await after.log({ input: "from after", output: "" });
for await (const entry of after.entries())
  console.log(entry.kid?.split(".")[0], after.content(entry).input);
await after.close();
