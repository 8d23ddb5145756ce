// What encryption adds to an entry of 1 KB + 1 KB: CPU over hash-only.
//
//   npm run bench:encryption
import { AuditLogger, EncryptionManager, FileStorage } from "@ai-audit/core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { comparePair, IN_FLIGHT } from "./support/paired.ts";

const directory = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
const encryption = new EncryptionManager();
encryption.getKey();
const storage = (name: string) => new FileStorage({ path: join(directory, name), durability: "os" });
const hashOnly = new AuditLogger(storage("hash"));
const encrypted = new AuditLogger(storage("encrypted"), { encryption, storeContent: true });
const entry = {
  input: "What is it? ".repeat(86),
  output: "It is this. ".repeat(86),
  provider: "openai",
  model: "gpt-5",
};

console.log(`Node ${process.version}; CPU of the process an entry, ${IN_FLIGHT} in flight, medians, in turn\n`);
await comparePair({
  name: "log(), hash-only | encrypted",
  calls: 4096,
  plain: () => hashOnly.log(entry),
  audited: () => encrypted.log(entry),
  targetUs: 25,
});
await hashOnly.close();
await encrypted.close();
rmSync(directory, { recursive: true });
