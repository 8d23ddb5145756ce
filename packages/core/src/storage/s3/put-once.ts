// Stores an object exactly once, whatever the network does in between.
import { AuditError, AuditWriteError } from "../../errors.ts";
import type { Bucket, Metadata, NewObject, UploadedPart } from "./bucket.ts";
import type { ResolvedObjectOptions } from "./options.ts";
import { reasonOf, RetriesExhausted, type RetryPolicy, statusOf, withRetries } from "./retry.ts";

/** `stored`: it is there with these bytes, by this attempt or one before. `taken`: somebody else's bytes are there. */
export type PutResult = "stored" | "taken";

/** The slowest that a body is waited for: 256 KiB a second. */
const BYTES_PER_MS = 256 * 1.024;

/**
 * Stores `body` under a key that nothing was stored under. A retry after an answer that was lost finds the object
 * there (412): equal bytes mean that the earlier attempt had worked.
 *
 * @throws `AUDIT_WRITE_TIMEOUT` when nothing came of it in time (it may still be there), `AUDIT_WRITE_FAILED` when the
 * server refuses it.
 */
export async function putOnce(
  bucket: Bucket,
  object: Omit<NewObject, "lockedUntil">,
  body: Buffer,
  options: ResolvedObjectOptions,
): Promise<PutResult> {
  const lockedUntil = options.objectLock && new Date(Date.now() + options.objectLock.days * 86_400_000);
  const target = { ...object, lockedUntil };
  try {
    return body.length > options.partBytes
      ? await putInParts(bucket, target, body, options)
      : await putWhole(bucket, target, body, options);
  } catch (cause) {
    throw asWriteError(bucket.urlOf(object.key), cause);
  }
}

async function putWhole(
  bucket: Bucket,
  object: NewObject,
  body: Buffer,
  options: ResolvedObjectOptions,
): Promise<PutResult> {
  return withRetries(policyFor(bucket, body.length, options), async (signal) => {
    try {
      await bucket.put(object, body, options, signal);
      return "stored";
    } catch (error) {
      if (statusOf(error) !== 412) throw error;
      return compare(bucket, object, body);
    }
  });
}

/** Parts are tried again one by one; what decides is the request that makes an object of them. */
async function putInParts(
  bucket: Bucket,
  object: NewObject,
  body: Buffer,
  options: ResolvedObjectOptions,
): Promise<PutResult> {
  const { partBytes } = options;
  const policy = policyFor(bucket, partBytes, options);
  const uploadId = await withRetries(policy, (signal) => bucket.beginParts(object, options, signal));
  try {
    const parts: UploadedPart[] = [];
    for (let at = 0; at < body.length; at += partBytes) {
      const part = body.subarray(at, at + partBytes);
      const number = parts.length + 1;
      parts.push(await withRetries(policy, (signal) => bucket.putPart(object.key, uploadId, number, part, signal)));
    }
    // Not every server honours the condition on the last request: asked beforehand, it is at least no common accident.
    if (await bucket.head(object.key)) {
      await bucket.abandonParts(object.key, uploadId);
      return await compare(bucket, object, body);
    }
    return await withRetries(policy, async (signal) => {
      try {
        await bucket.finishParts(object.key, uploadId, parts, signal);
        return "stored";
      } catch (error) {
        // 404: the upload is no more, because an attempt before made the object of it.
        if (statusOf(error) !== 412 && statusOf(error) !== 404) throw error;
        return compare(bucket, object, body);
      }
    });
  } catch (error) {
    // A retry of the whole begins a new upload; what is left of this one costs until a lifecycle rule removes it.
    await bucket.abandonParts(object.key, uploadId).catch(() => undefined);
    throw error;
  }
}

async function compare(bucket: Bucket, { key, metadata }: NewObject, body: Buffer): Promise<PutResult> {
  const there = await bucket.get(key);
  if (!there) throw new Vanished(key);
  return there.body.equals(body) && sameMetadata(there.metadata, metadata) ? "stored" : "taken";
}

function sameMetadata(there: Metadata, ours: Metadata): boolean {
  return Object.entries(ours).every(([name, value]) => there[name] === value);
}

/** There when it was to be written, gone when it was read. The name makes it one of those that are tried again. */
class Vanished extends Error {
  override readonly name: string = "IncompleteBody";
  constructor(key: string) {
    super(`${key} was there and is gone`);
  }
}

function policyFor(bucket: Bucket, bytes: number, { writeTimeoutMs }: ResolvedObjectOptions): RetryPolicy {
  const attemptMs = bucket.requestTimeoutMs + bytes / BYTES_PER_MS;
  return { timeoutMs: writeTimeoutMs, attemptMs: Math.min(writeTimeoutMs, attemptMs) };
}

function asWriteError(url: string, cause: unknown): AuditError {
  if (AuditError.isInstance(cause)) return cause;
  return cause instanceof RetriesExhausted
    ? new AuditWriteError("AUDIT_WRITE_TIMEOUT", `${url} was not stored: ${cause.message}`, { cause })
    : new AuditWriteError("AUDIT_WRITE_FAILED", `${url} was not stored: ${reasonOf(cause)}`, { cause });
}
