// Cost of encryption for an entry of 1 KB + 1 KB: CPU over hash-only.
//
//   npm run bench -- encryption
import { join } from "node:path";
import { AuditLogger, EncryptionManager, FileStorage } from "@ai-audit/core";
import { comparePairs } from "./support/paired.ts";

const entry = {
  input: "What is it? ".repeat(86),
  output: "It is this. ".repeat(86),
  provider: "openai",
  model: "gpt-5",
};

await comparePairs(import.meta.filename, "the process an entry", async (compare, directory) => {
  const encryption = new EncryptionManager();
  encryption.getKey();
  const storage = (name: string): FileStorage =>
    new FileStorage({ path: join(directory, name), durability: "os" });
  const hashOnly = new AuditLogger(storage("hash"));
  const encrypted = new AuditLogger(storage("encrypted"), { encryption, storeContent: true });
  await compare({
    name: "log(), hash-only | encrypted",
    calls: 4096,
    plain: () => hashOnly.log(entry),
    audited: () => encrypted.log(entry),
  });
  await hashOnly.close();
  await encrypted.close();
});
