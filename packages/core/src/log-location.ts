// Where a log lies: a directory, or a bucket. The verifier below knows neither.
import { directorySource, type LogSource } from "./integrity/log-source.ts";
import type { S3Connection } from "./storage/s3/options.ts";

/** How to get to a log. */
export interface LogAccess {
  /** How to reach the bucket of an `s3://` location. @default the AWS SDK's own settings */
  readonly s3?: S3Connection;
  /** The present. @default the clock */
  readonly now?: Date;
}

/**
 * Read access to the logs in a directory (one), or at `s3://bucket/prefix` (the one written directly, and each that was
 * shipped). A bucket is listed, with the metadata of every object; a directory only once its files are asked for.
 *
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` for a location that names no bucket; what the server says
 */
export async function logSourcesAt(
  location: string,
  { s3 = {}, now = new Date() }: LogAccess = {},
): Promise<readonly LogSource[]> {
  if (!location.startsWith("s3://")) return [directorySource(location)];
  // Loaded only here: who verifies a directory needs no SDK.
  const { bucketSources } = await import("./storage/s3/log-sources.ts");
  return bucketSources(location, s3, now);
}
