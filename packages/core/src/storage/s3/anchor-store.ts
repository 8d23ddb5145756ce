// An anchor log in a bucket: one object a file, made under If-None-Match.
import type { AnchorStore } from "../../anchor/store.ts";
import { S3Bucket } from "./bucket.ts";
import { parseLocation, resolveConnection, resolveObjectOptions } from "./options.ts";
import type { S3Connection, S3ObjectOptions } from "./options.ts";
import { contentOf, putOnce } from "./put-once.ts";

/** The anchor log at `s3://bucket/prefix`. `objects`: a lock, for example. */
export function bucketStore(
  location: string,
  connection: S3Connection,
  objects: S3ObjectOptions = {},
): AnchorStore {
  const { bucket: name, prefix } = parseLocation(location);
  const bucket = new S3Bucket(name, prefix, resolveConnection(connection));
  const options = resolveObjectOptions(objects);
  return {
    location,
    async list() {
      const names: string[] = [];
      for await (const page of bucket.list({})) names.push(...page.map(({ key }) => key));
      return names;
    },
    read: async (key) => (await bucket.get(key))?.body,
    async create(key, bytes) {
      const object = { key, metadata: {}, contentType: "application/octet-stream" };
      return (await putOnce(bucket, object, contentOf(bytes), options)) === "stored";
    },
  };
}
