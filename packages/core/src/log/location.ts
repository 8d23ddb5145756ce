// The location of a log: a directory, or a bucket. The verifier below knows neither.
import { directorySource, type LogSource } from "../verify/log-source.ts";
import type { KnownHeads } from "../storage/s3/known-heads.ts";
import type { S3Connection } from "../storage/s3/options.ts";

/** The way to a log. */
export interface LogAccess {
  /** Settings for the bucket of an `s3://` location. @default the AWS SDK's own settings */
  readonly s3?: S3Connection;
  /** Whether versions of a bucket's objects are not asked for. @default false */
  readonly withoutVersions?: boolean;
  /**
   * Metadata of a bucket's objects that an earlier call asked for. For a process that reads a log
   * again and again. @default none
   */
  readonly heads?: KnownHeads | undefined;
  /** The present. @default the clock */
  readonly now?: Date;
  /** Called by readers of the log with the share of a file that was read, from 0 to 1. */
  readonly onRead?: ((file: string, share: number) => void) | undefined;
}

/**
 * Read access to the logs in a directory (one), or at `s3://bucket/prefix` (the one written
 * directly, and each that was shipped). A bucket is listed, with the metadata of every object; a
 * directory only once its files are asked for.
 *
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` for a location that names no bucket; what the
 * server says
 */
export async function logSourcesAt(
  location: string,
  { s3 = {}, now = new Date(), withoutVersions = false, heads, onRead }: LogAccess = {},
): Promise<readonly LogSource[]> {
  const sources = await sourcesAt(location, s3, { now, withoutVersions, heads });
  return onRead === undefined ? sources : sources.map((source) => reporting(source, onRead));
}

async function sourcesAt(
  location: string,
  s3: S3Connection,
  look: Pick<LogAccess, "heads"> & { readonly now: Date; readonly withoutVersions: boolean },
): Promise<readonly LogSource[]> {
  if (!location.startsWith("s3://")) return [directorySource(location)];
  // Loaded only here: who verifies a directory needs no SDK.
  const { bucketSources } = await import("../storage/s3/log-sources.ts");
  return bucketSources(location, s3, look);
}

function reporting(source: LogSource, onRead: (file: string, share: number) => void): LogSource {
  const sizes = new Map<string, number>();
  return {
    async files() {
      const files = await source.files();
      for (const { file, bytes } of files) sizes.set(file, bytes);
      return files;
    },
    async *read(file) {
      const size = sizes.get(file) ?? 0;
      let bytesRead = 0;
      for await (const chunk of source.read(file)) {
        bytesRead += chunk.length;
        onRead(file, Math.min(1, bytesRead / size)); // it may have grown since it was listed
        yield chunk;
      }
    },
    ...(source.isOfFile && { isOfFile: (error: unknown) => source.isOfFile?.(error) ?? true }),
    ...(source.otherNames && { otherNames: async () => (await source.otherNames?.()) ?? [] }),
    ...(source.limits && { limits: source.limits }),
    ...(source.sizeOf && { sizeOf: async (file: string) => source.sizeOf?.(file) }),
    ...(source.place && { place: source.place }),
  };
}
