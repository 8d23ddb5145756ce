// Opens storages: a directory, or a bucket, whose SDK is loaded only then.
import { type AuditStorage, FileStorage, type Signer } from "@ai-audit/core";
import type { S3Connection } from "@ai-audit/core/s3";
import { isBucket } from "./location.ts";
import type { Settings } from "./settings.ts";

/** The storage at a location. Nothing is written there before something is appended. */
export async function openStorage(location: string, settings: Settings, signer?: Signer): Promise<AuditStorage> {
  const signing = signer && { signer };
  if (!isBucket(location)) return new FileStorage({ path: location, ...signing });
  const { S3Storage } = await import("@ai-audit/core/s3");
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(location) ?? [];
  return new S3Storage({ bucket, prefix, ...s3Connection(settings), ...signing });
}

/** How to reach a bucket. */
export function s3Connection(settings: Settings): S3Connection {
  const endpoint = settings.get("AUDIT_S3_ENDPOINT")?.value;
  return endpoint === undefined ? {} : { endpoint };
}
