// A process of its own that logs: `node s3-writer.ts <endpoint> <bucket> <prefix> <pem> <entries>`.
// Prints the ids.
import { AuditLogger } from "../../src/log/logger.ts";
import { Signer } from "../../src/seal/signer.ts";
import { S3Storage } from "../../src/storage/s3/index.ts";
import { serverAt } from "@ai-audit/test-support/s3-servers";

const [endpoint = "", bucket = "", prefix = "", pem = "", entries = "0"] = process.argv.slice(2);
const storage = new S3Storage({
  bucket,
  prefix,
  client: serverAt(endpoint).client(),
  signer: Signer.fromPem("test", pem),
});
const logger = new AuditLogger(storage);
const lane = async (count: number): Promise<void> => {
  for (let at = 0; at < count; at += 1) {
    const id = await logger.log({
      input: `question ${at}`,
      output: `answer ${at}`,
      provider: "test",
      model: "test-1",
    });
    process.stdout.write(`${id}\n`);
  }
};
const lanes = 20;
await Promise.all(Array.from({ length: lanes }, () => lane(Number(entries) / lanes)));
await logger.close();
