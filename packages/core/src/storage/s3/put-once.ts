// Stores an object exactly once, despite any failure of the network. Over 300 lines: one put and an
// upload in parts share the check of the object found there.
import { hash } from "node:crypto";
import { AuditError, AuditWriteError } from "../../errors.ts";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { Metadata, NewObject, S3Bucket, UploadedPart } from "./bucket.ts";
import type { ResolvedObjectOptions } from "./options.ts";
import { RetriesExhausted, type RetryPolicy, reasonOf, statusOf, withRetries } from "./request.ts";
import { DAY_MS } from "../../time.ts";

/**
 * `stored`: it is there with these bytes, by this attempt or an earlier one. `taken`: another
 * writer's bytes are there.
 */
export type PutResult = "stored" | "taken";

/** The lowest accepted speed of a body: 256 KiB a second. */
const BYTES_PER_MS = 256 * 1.024;

/** The content of a new object: bytes in memory, or a place to read them from. */
export interface Content {
  readonly bytes: number;
  /** Bytes [`from`, `to`). */
  read(from: number, to: number): Promise<Buffer>;
}

/** Bytes in memory as content. */
export function contentOf(body: Buffer): Content {
  return { bytes: body.length, read: async (from, to) => body.subarray(from, to) };
}

/**
 * Stores content under an unused key. A retry after a lost answer finds the object there (412):
 * equal bytes mean that the earlier attempt succeeded.
 *
 * @throws `AUDIT_WRITE_TIMEOUT` when no attempt succeeded in time (the object may still be there),
 * `AUDIT_WRITE_FAILED` when the server refuses it.
 */
export async function putOnce(
  bucket: S3Bucket,
  object: Omit<NewObject, "lockedUntil">,
  content: Content,
  options: ResolvedObjectOptions,
): Promise<PutResult> {
  const lockedUntil = options.objectLock && new Date(Date.now() + options.objectLock.days * DAY_MS);
  const put = new ObjectPut(bucket, { ...object, lockedUntil }, content, options);
  try {
    return content.bytes > options.partBytes ? await put.inParts() : await put.whole();
  } catch (cause) {
    throw asWriteError(bucket.urlOf(object.key), cause);
  }
}

class ObjectPut {
  readonly #bucket: S3Bucket;
  readonly #uploads: Uploads;
  readonly #object: NewObject;
  readonly #content: Content;
  readonly #options: ResolvedObjectOptions;

  constructor(
    bucket: S3Bucket,
    object: NewObject,
    content: Content,
    options: ResolvedObjectOptions,
  ) {
    this.#bucket = bucket;
    this.#uploads = new Uploads(bucket);
    this.#object = object;
    this.#content = content;
    this.#options = options;
  }

  async whole(): Promise<PutResult> {
    const body = await this.#content.read(0, this.#content.bytes);
    return withRetries(this.#policy(body.length), async (signal) => {
      try {
        await this.#uploads.put(this.#object, body, this.#options, signal);
        return "stored";
      } catch (error) {
        if (statusOf(error) !== 412) throw error;
        return this.#compare();
      }
    });
  }

  /** Parts are retried one by one; only the request that joins them makes the object. */
  async inParts(): Promise<PutResult> {
    const { partBytes } = this.#options;
    const { key } = this.#object;
    const policy = this.#policy(partBytes);
    const uploadId = await withRetries(policy, (signal) =>
      this.#uploads.beginParts(this.#object, this.#options, signal),
    );
    try {
      const parts: UploadedPart[] = [];
      for (let from = 0; from < this.#content.bytes; from += partBytes) {
        const part = await this.#content.read(
          from,
          Math.min(from + partBytes, this.#content.bytes),
        );
        const number = parts.length + 1;
        parts.push(
          await withRetries(policy, (signal) =>
            this.#uploads.putPart(key, uploadId, number, part, signal),
          ),
        );
      }
      // Some servers ignore the condition on the last request: asking beforehand at least rules out
      // common accidents.
      if (await this.#bucket.peek(key)) {
        await this.#uploads.abandonParts(key, uploadId);
        return await this.#compare();
      }
      return await withRetries(policy, async (signal) => {
        try {
          await this.#uploads.finishParts(key, uploadId, parts, signal);
          return "stored";
        } catch (error) {
          // 404: the upload has ended, because an earlier attempt made the object.
          if (statusOf(error) !== 412 && statusOf(error) !== 404) throw error;
          return this.#compare();
        }
      });
    } catch (error) {
      // The upload's remains cost money until a lifecycle rule removes them. The first error is the
      // one that counts.
      await this.#uploads.abandonParts(key, uploadId).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Whether the stored object equals the new one: its bytes and its metadata.
   */
  async #compare(): Promise<PutResult> {
    const { key, metadata } = this.#object;
    const { bytes } = this.#content;
    const there = await this.#bucket.head(key);
    if (!there) throw new Vanished(key);
    if (there.bytes !== bytes || !sameMetadata(there.metadata, metadata)) return "taken";
    for (let from = 0; from < bytes; from += this.#options.partBytes) {
      const to = Math.min(from + this.#options.partBytes, bytes);
      const isAll = from === 0 && to === bytes;
      const found = await this.#bucket.get(key, isAll ? undefined : { from, to: to - 1 });
      if (!found) throw new Vanished(key);
      if (!found.body.equals(await this.#content.read(from, to))) return "taken";
    }
    return "stored";
  }

  #policy(bytes: number): RetryPolicy {
    const { writeTimeoutMs } = this.#options;
    const attemptMs = this.#bucket.requestTimeoutMs + bytes / BYTES_PER_MS;
    return { timeoutMs: writeTimeoutMs, attemptMs: Math.min(writeTimeoutMs, attemptMs) };
  }
}

function sameMetadata(there: Metadata, ours: Metadata): boolean {
  return Object.entries(ours).every(([name, value]) => there[name] === value);
}

/**
 * The object existed at the write and was gone at the read. The error's name makes it one that is
 * retried.
 */
class Vanished extends Error {
  override readonly name: string = "IncompleteBody";
  constructor(key: string) {
    super(`${key} was there and is gone`);
  }
}

function asWriteError(url: string, cause: unknown): AuditError {
  if (AuditError.isInstance(cause)) return cause;
  return cause instanceof RetriesExhausted
    ? new AuditWriteError("AUDIT_WRITE_TIMEOUT", `${url} was not stored: ${cause.message}`, {
        cause,
      })
    : new AuditWriteError("AUDIT_WRITE_FAILED", `${url} was not stored: ${reasonOf(cause)}`, {
        cause,
      });
}

type ObjectInput = Omit<PutObjectCommandInput, "Body" | "ChecksumAlgorithm">;

/** Requests that write: each method is one attempt. */
class Uploads {
  readonly #bucket: S3Bucket;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  /** Stores an object where there is none; rejects with the server's 412 where there is one. */
  async put(
    object: NewObject,
    body: Buffer,
    options: ResolvedObjectOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const { sdk, client } = await this.#bucket.open();
    const input = {
      ...this.#newObject(object, options),
      Body: body,
      ChecksumAlgorithm: "SHA256" as const, // named besides the checksum itself: some servers require it with a lock
      ChecksumSHA256: hash("sha256", body, "base64"),
      IfNoneMatch: "*",
    };
    await client.send(new sdk.PutObjectCommand(input), { abortSignal: signal });
  }

  /** Begins an object of several parts. Resolves to the upload's id. */
  async beginParts(
    object: NewObject,
    options: ResolvedObjectOptions,
    signal: AbortSignal,
  ): Promise<string> {
    const { sdk, client } = await this.#bucket.open();
    const input = { ...this.#newObject(object, options), ChecksumAlgorithm: "SHA256" as const };
    const { UploadId = "" } = await client.send(new sdk.CreateMultipartUploadCommand(input), {
      abortSignal: signal,
    });
    return UploadId;
  }

  async putPart(
    key: string,
    uploadId: string,
    number: number,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<UploadedPart> {
    const { sdk, client } = await this.#bucket.open();
    const sha256 = hash("sha256", body, "base64");
    const input = {
      ...this.#bucket.target(key),
      UploadId: uploadId,
      PartNumber: number,
      Body: body,
      ChecksumSHA256: sha256,
    };
    const { ETag = "" } = await client.send(new sdk.UploadPartCommand(input), {
      abortSignal: signal,
    });
    return { number, etag: ETag, sha256 };
  }

  /**
   * Joins the parts into the object; rejects with the server's 412 where one exists, and 404 for an
   * unknown upload.
   */
  async finishParts(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    signal: AbortSignal,
  ): Promise<void> {
    const { sdk, client } = await this.#bucket.open();
    const input = {
      ...this.#bucket.target(key),
      UploadId: uploadId,
      MultipartUpload: {
        Parts: parts.map(({ number, etag, sha256 }) => ({
          PartNumber: number,
          ETag: etag,
          ChecksumSHA256: sha256,
        })),
      },
      IfNoneMatch: "*",
    };
    await client.send(new sdk.CompleteMultipartUploadCommand(input), { abortSignal: signal });
  }

  async abandonParts(key: string, uploadId: string): Promise<void> {
    const { sdk, client } = await this.#bucket.open();
    await client.send(
      new sdk.AbortMultipartUploadCommand({ ...this.#bucket.target(key), UploadId: uploadId }),
    );
  }

  #newObject(
    { key, metadata, contentType, lockedUntil }: NewObject,
    options: ResolvedObjectOptions,
  ): ObjectInput {
    const { objectLock, legalHold, serverSideEncryption, storageClass } = options;
    return {
      ...this.#bucket.target(key),
      Metadata: { ...metadata },
      ContentType: contentType,
      ...(objectLock && {
        ObjectLockMode: objectLock.mode,
        ObjectLockRetainUntilDate: lockedUntil,
      }),
      ...(legalHold === true && { ObjectLockLegalHoldStatus: "ON" as const }),
      ...(serverSideEncryption === "sse-s3" && { ServerSideEncryption: "AES256" as const }),
      ...(typeof serverSideEncryption === "object" && {
        ServerSideEncryption: "aws:kms" as const,
        SSEKMSKeyId: serverSideEncryption.kmsKeyId,
      }),
      // The SDK's list of classes grows with its versions; the server checks the name.
      ...(storageClass !== undefined && {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
        StorageClass: storageClass as NonNullable<ObjectInput["StorageClass"]>,
      }),
    };
  }
}
