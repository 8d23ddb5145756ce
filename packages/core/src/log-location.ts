// Where a log lies: a directory, or a bucket. The verifier below knows neither.
import { directorySource, type LogSource } from "./integrity/log-source.ts";
import type { S3Connection } from "./storage/s3/options.ts";

/** The logs in a directory (one), or at `s3://bucket/prefix` (the one written directly, and each that was shipped). */
export async function sourcesAt(location: string, s3: S3Connection, now: Date): Promise<readonly LogSource[]> {
  if (!location.startsWith("s3://")) return [directorySource(location)];
  // Loaded only here: who verifies a directory needs no SDK.
  const { bucketSources } = await import("./storage/s3/log-sources.ts");
  return bucketSources(location, s3, now);
}
