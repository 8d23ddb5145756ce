// A bucket of a local S3 server for the examples that need one.
import { s3Server } from "@ai-audit/test-support/s3-servers";

/** Variables that name a new bucket, its server and its keys. */
export async function s3Variables(): Promise<Readonly<Record<string, string>>> {
  const server = await s3Server("moto");
  return {
    AUDIT_BUCKET: await server.makeBucket(),
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "testtest",
    AWS_REGION: "us-east-1",
  };
}
