// The rights of the credentials in a bucket, found out without changing anything there.
import { randomUUID } from "node:crypto";
import { ask, type Answer, type BucketAccess } from "./bucket-settings.ts";
import { type Finding, good, look, wrong } from "./finding.ts";

/**
 * Lists and reads; asks to add a part to an upload that does not exist, which needs s3:PutObject
 * and stores nothing; and to delete a version of an object that does not exist, which needs
 * s3:DeleteObjectVersion and deletes nothing.
 */
export async function examineRights(
  access: BucketAccess,
  listed: Answer<unknown>,
): Promise<Finding> {
  const { sdk, client, bucket: Bucket, prefix } = access;
  const Key = `${prefix}ai-audit-doctor-${randomUUID()}`;
  const asked = await ask(client.send(new sdk.GetObjectCommand({ Bucket, Key })), "NoSuchKey");
  // Without the right to list, S3 does not report that an object is missing.
  const read = listed.state === "refused" && asked.state === "refused" ? UNKNOWN : asked;
  const upload = { Bucket, Key, UploadId: randomUUID(), PartNumber: 1, Body: "" };
  const write = await ask(client.send(new sdk.UploadPartCommand(upload)), "NoSuchUpload");
  const remove = await ask(
    client.send(new sdk.DeleteObjectCommand({ Bucket, Key, VersionId: "null" })),
    "NoSuchVersion",
  );
  const rights = { list: listed, read, write, "delete versions": remove };
  const named = (state: Answer<unknown>["state"]): string[] =>
    Object.entries(rights).flatMap(([name, answer]) => (answer.state === state ? [name] : []));
  const message = [
    ...sentence("these credentials may", named("answered")),
    ...sentence("they may not", named("refused")),
    ...sentence("the server did not say whether they may", named("unknown")),
  ].join("; ");
  if (listed.state === "refused" || read.state === "refused") {
    const missing = [
      ...(listed.state === "refused" ? ["s3:ListBucket"] : []),
      ...(read.state === "refused" ? ["s3:GetObject"] : []),
    ].join(" and ");
    return wrong(
      "rights",
      message,
      `allow ${missing}: nothing can be read or verified without${listed.state === "refused" ? UNWITNESSED : ""}`,
    );
  }
  if (remove.state === "answered") {
    return look(
      "rights",
      message,
      "only cleanup needs to delete: give that right to its own credentials alone",
    );
  }
  return good("rights", message);
}

const UNWITNESSED =
  "; a writer that may not list records no other writer, so a whole day can vanish unseen";
const UNKNOWN: Answer<never> = { state: "unknown", reason: "" };

function sentence(beginning: string, rights: readonly string[]): string[] {
  return rights.length === 0 ? [] : [`${beginning} ${rights.join(", ")}`];
}
