// A log in a bucket: closed files of a directory are shipped there, with a lifecycle rule that ends them.
// AUDIT_BUCKET names the bucket. AWS_ENDPOINT_URL_S3 names a server that is not AWS, as for any AWS SDK.
import {
  AuditLogger,
  EncryptionManager,
  FileStorage,
  generateKey,
  Signer,
  verifyLog,
} from "@ai-audit/core";
import { lifecycleRule, S3Archive } from "@ai-audit/core/s3";

const bucket = process.env["AUDIT_BUCKET"] ?? "my-audit";
const signer = await Signer.generate("acme"); // in production: Signer.fromEnv("acme")
const archive = new S3Archive({
  bucket,
  prefix: "audit/",
  expiresDays: 366, // the bucket's rule below, sealed into each file
});
const logger = new AuditLogger(new FileStorage({ path: "./audit-logs/s3", signer, archive }), {
  encryption: new EncryptionManager(generateKey()), // in production: EncryptionManager.fromEnv()
  storeContent: true,
});

await logger.log({ input: "Hello!", output: "Hi.", outcome: "ok" }); // on the local disk
await logger.close(); // ends the file, and ships it

console.log(JSON.stringify(lifecycleRule(365, "audit/")));
const { verdict } = await verifyLog(`s3://${bucket}/audit/`, { trustedKeys: [signer.vkey] });
console.log(verdict);
