// Removes what is older than 30 days, once it has said that it begins: <directory> <PEM of the
// signer>
import { writeSync } from "node:fs";
import { FileStorage, Signer } from "../../../../src/index.ts";

const [path = "", pem = ""] = process.argv.slice(2);
const storage = new FileStorage({ path, signer: Signer.fromPem("example.com/audit", pem) });
const now = Date.now();
writeSync(1, "begins\n");
await storage.prune({ before: now - 30 * 86_400_000, policy: "retention", actor: "test", now });
await storage.close();
