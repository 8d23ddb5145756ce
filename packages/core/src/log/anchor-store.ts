// The place of an anchor log: a directory, or a bucket.
import { type AnchorStore, directoryStore } from "../anchor/store.ts";
import type { S3Connection } from "../storage/s3/options.ts";

/** Settings for an anchor log in a bucket. */
export interface AnchorPlaceOptions {
  /** @default the AWS SDK's own settings */
  readonly s3?: S3Connection;
  /** Days for which no file can be removed (Object Lock, COMPLIANCE). @default the bucket's rule */
  readonly lockDays?: number;
}

/**
 * The anchor log in a directory, or at `s3://bucket/prefix`.
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` for a location that names no bucket
 */
export async function anchorStoreAt(
  location: string,
  { s3 = {}, lockDays }: AnchorPlaceOptions = {},
): Promise<AnchorStore> {
  if (!location.startsWith("s3://")) return directoryStore(location);
  // Loaded only here: a directory needs no SDK.
  const { bucketStore } = await import("../storage/s3/anchor-store.ts");
  return bucketStore(location, s3, {
    ...(lockDays !== undefined && { objectLock: { mode: "COMPLIANCE", days: lockDays } }),
  });
}
