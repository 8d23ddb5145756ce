// A process that logs to a directory with an archive until it is killed:
// `node archive-writer.ts <directory> <endpoint> <bucket> <pem>`. Prints the id of each entry that
// was acknowledged.
import { Signer } from "../../src/seal/signer.ts";
import { FileStorage } from "../../src/storage/file/file.ts";
import { S3Archive } from "../../src/storage/s3/index.ts";
import { testEntry } from "../../src/testing.ts";
import { serverAt } from "@ai-audit/test-support/s3-servers";

const [path = "", endpoint = "", bucket = "", pem = ""] = process.argv.slice(2);
const archive = new S3Archive({ bucket, client: serverAt(endpoint).client(), keepLocalDays: 0 });
const storage = new FileStorage({
  path,
  rotationSizeMb: 0.03,
  signer: Signer.fromPem("test", pem),
  archive,
});
// Days that are past, so that copies may be removed as well; each process has its own, and hours of
// it.
const start = Date.now() - 30 * 86_400_000 - process.pid * 1000;
for (let count = 0; ; count += 1) {
  const { id, line } = testEntry(start + count);
  await storage.append(line, id);
  process.stdout.write(`${id}\n`);
}
