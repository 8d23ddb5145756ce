// Opens storages: a directory, or a bucket, whose SDK is loaded only then.
import { type AuditStorage, FileStorage, type OnProgress, type Signer } from "@ai-audit/core";
import type { S3Archive, S3Connection } from "@ai-audit/core/s3";
import { isBucket } from "./location.ts";
import type { Settings } from "./settings.ts";

/** The storage at a location. Nothing is written there before something is appended. */
export async function openStorage(location: string, settings: Settings, signer?: Signer): Promise<AuditStorage> {
  const signing = signer && { signer };
  if (!isBucket(location)) return new FileStorage({ path: location, ...signing });
  const { S3Storage } = await import("@ai-audit/core/s3");
  return new S3Storage({ ...placeInBucket(location), ...s3Connection(settings), ...signing });
}

/** The storage, with whoever reads pages of it reporting how far they are. */
export function reportingReads(storage: AuditStorage, onProgress: OnProgress | undefined): AuditStorage {
  if (onProgress === undefined) return storage;
  return {
    stream: storage.stream,
    durable: storage.durable,
    append: (line, id) => storage.append(line, id),
    lose: (id, reason) => storage.lose(id, reason),
    get: (id) => storage.get(id),
    pages: (range, order) => storage.pages(range, order, onProgress),
    count: (range) => storage.count(range),
    prune: (options) => storage.prune({ ...options, onProgress }),
    status: () => storage.status(),
    flush: () => storage.flush(),
    close: () => storage.close(),
  };
}

/** The archive at `s3://bucket/prefix`. `onError` is told of what could not be shipped. */
export async function openArchive(
  location: string,
  settings: Settings,
  onError: (error: Error) => void,
): Promise<S3Archive> {
  const { S3Archive: Archive } = await import("@ai-audit/core/s3");
  return new Archive({ ...placeInBucket(location), ...s3Connection(settings), onError });
}

/** A place in a bucket. */
export interface S3Place {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
}

/** The place that `s3://bucket/prefix` names. */
export function placeInBucket(location: string): S3Place {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(location) ?? [];
  return { bucket, prefix: prefix === "" ? "" : `${prefix.replace(/\/+$/, "")}/` };
}

/** How to reach a bucket. */
export function s3Connection(settings: Settings): S3Connection {
  const endpoint = settings.get("AUDIT_S3_ENDPOINT")?.value;
  return endpoint === undefined ? {} : { endpoint };
}
