// All that is said to S3: the only file that touches the AWS SDK, which is loaded when a bucket is first used.
import { getFips, hash } from "node:crypto";
import { Readable } from "node:stream";
import type {
  GetObjectCommandOutput,
  ListObjectVersionsCommandInput,
  ListObjectVersionsCommandOutput,
  ListObjectsV2CommandOutput,
  PutObjectCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import { importPeer } from "../../crypto/peer.ts";
import type { ResolvedConnection, ResolvedObjectOptions } from "./options.ts";
import { type Attempt, type RetryPolicy, statusOf, withRetries } from "./retry.ts";

export type { S3Client };

/** An object as a listing shows it. Keys are without the bucket's prefix, everywhere. */
export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
}

/** A version of an object, or a marker that it was deleted. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isDeleteMarker: boolean;
  readonly isLatest: boolean;
  /** RFC 3339. */
  readonly modified: string;
}

export type Metadata = Readonly<Record<string, string>>;

export interface ObjectHead {
  readonly bytes: number;
  readonly metadata: Metadata;
  /** SHA-256 of the whole object in base64, where the server knows it. */
  readonly sha256: string | undefined;
}

export interface FetchedObject {
  readonly body: Buffer;
  readonly metadata: Metadata;
}

/** One object to write. */
export interface NewObject {
  readonly key: string;
  readonly metadata: Metadata;
  readonly contentType: string;
  /** Until when it is locked, where objects are locked. Fixed once, so that every attempt says the same. */
  readonly lockedUntil: Date | undefined;
}

/** A part of an object that is sent in several. */
export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  readonly sha256: string;
}

/** A rule of the bucket that removes objects by their age. */
export interface ExpiryRule {
  readonly id: string;
  /** Full prefix of the keys it is about. */
  readonly prefix: string;
  readonly days: number;
}

/** Keys of one page of a listing. */
interface ListRange {
  /** Below the bucket's own prefix. */
  readonly prefix?: string;
  /** Only keys after this one. */
  readonly after?: string;
}

type Sdk = typeof import("@aws-sdk/client-s3");
interface Opened {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/** Milliseconds for which a read is tried again. */
const READ_TIMEOUT_MS = 60_000;
/** S3 deletes at most so many objects in one request. */
const DELETE_BATCH = 1000;

/** Keys, bodies and metadata below one prefix of one bucket. Reads try again what may pass; writes are one attempt. */
export class Bucket {
  readonly name: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
  readonly #connection: ResolvedConnection;
  readonly #readPolicy: RetryPolicy;
  #opened: Promise<Opened> | undefined;

  constructor(name: string, prefix: string, connection: ResolvedConnection) {
    this.name = name;
    this.prefix = prefix;
    this.#connection = connection;
    this.#readPolicy = { timeoutMs: READ_TIMEOUT_MS, attemptMs: connection.requestTimeoutMs };
  }

  /** See `S3Connection`. */
  get requestTimeoutMs(): number {
    return this.#connection.requestTimeoutMs;
  }

  /** For messages: `s3://bucket/prefix/key`. */
  urlOf(key: string): string {
    return `s3://${this.name}/${this.prefix}${key}`;
  }

  /** Stores an object where there is none; rejects with the server's 412 where there is one. */
  async put(object: NewObject, body: Buffer, options: ResolvedObjectOptions, signal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const input = {
      ...this.#newObject(object, options),
      Body: body,
      ChecksumAlgorithm: "SHA256" as const, // said besides the checksum itself: some servers ask for it with a lock
      ChecksumSHA256: hash("sha256", body, "base64"),
      IfNoneMatch: "*",
    };
    await client.send(new sdk.PutObjectCommand(input), { abortSignal: signal });
  }

  /** Begins an object of several parts. Resolves to the upload's id. */
  async beginParts(object: NewObject, options: ResolvedObjectOptions, signal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#open();
    const input = { ...this.#newObject(object, options), ChecksumAlgorithm: "SHA256" as const };
    const { UploadId = "" } = await client.send(new sdk.CreateMultipartUploadCommand(input), { abortSignal: signal });
    return UploadId;
  }

  async putPart(
    key: string,
    uploadId: string,
    number: number,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<UploadedPart> {
    const { sdk, client } = await this.#open();
    const sha256 = hash("sha256", body, "base64");
    const input = { ...this.#target(key), UploadId: uploadId, PartNumber: number, Body: body, ChecksumSHA256: sha256 };
    const { ETag = "" } = await client.send(new sdk.UploadPartCommand(input), { abortSignal: signal });
    return { number, etag: ETag, sha256 };
  }

  /** Makes the object of its parts; rejects with the server's 412 where there is one, and 404 for an unknown upload. */
  async finishParts(key: string, uploadId: string, parts: readonly UploadedPart[], signal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const input = {
      ...this.#target(key),
      UploadId: uploadId,
      MultipartUpload: {
        Parts: parts.map(({ number, etag, sha256 }) => ({ PartNumber: number, ETag: etag, ChecksumSHA256: sha256 })),
      },
      IfNoneMatch: "*",
    };
    await client.send(new sdk.CompleteMultipartUploadCommand(input), { abortSignal: signal });
  }

  async abandonParts(key: string, uploadId: string): Promise<void> {
    const { sdk, client } = await this.#open();
    await client.send(new sdk.AbortMultipartUploadCommand({ ...this.#target(key), UploadId: uploadId }));
  }

  /** The object, or `range` (from, to: bytes, inclusive) of it; undefined when there is none. */
  async get(key: string, range?: { from: number; to: number }): Promise<FetchedObject | undefined> {
    const { sdk, client } = await this.#open();
    const input = { ...this.#target(key), ...(range && { Range: `bytes=${range.from}-${range.to}` }) };
    let doubtful: Buffer | undefined;
    return this.#read(async (abortSignal, alive) => {
      const answer = await client.send(new sdk.GetObjectCommand(input), { abortSignal });
      const body = answer.Body instanceof Readable ? await readAll(answer.Body, alive) : Buffer.alloc(0);
      if (isCut(answer, body.length)) throw new IncompleteBody(key);
      // An ETag need not be a digest on every server: the same bytes twice are what is there.
      if (!hasItsETag(answer, body) && doubtful?.equals(body) !== true) {
        doubtful = body;
        throw new IncompleteBody(key);
      }
      return { body, metadata: answer.Metadata ?? {} };
    });
  }

  /** What is known of an object without reading it; undefined when there is none. */
  async head(key: string, versionId?: string): Promise<ObjectHead | undefined> {
    const { sdk, client } = await this.#open();
    const version = versionId === undefined ? {} : { VersionId: versionId };
    const input = { ...this.#target(key), ...version, ChecksumMode: "ENABLED" as const };
    return this.#read(async (abortSignal) => {
      const answer = await client.send(new sdk.HeadObjectCommand(input), { abortSignal });
      const isWhole = answer.ChecksumType !== "COMPOSITE" && !answer.ChecksumSHA256?.includes("-");
      return {
        bytes: answer.ContentLength ?? 0,
        metadata: answer.Metadata ?? {},
        sha256: isWhole ? answer.ChecksumSHA256 : undefined,
      };
    });
  }

  /** Objects in the order of their keys, a page of at most 1,000 at a time. */
  async *list({ prefix = "", after }: ListRange): AsyncGenerator<readonly ListedObject[], void, void> {
    // Each page begins after the last key seen, not at a token: a token may have expired when a slow reader comes back.
    let startAfter = after;
    for (;;) {
      const page = await this.#listPage({ prefix, ...(startAfter !== undefined && { after: startAfter }) });
      const objects = (page.Contents ?? []).map(({ Key = "", Size = 0 }) => ({
        key: Key.slice(this.prefix.length),
        bytes: Size,
      }));
      if (objects.length > 0) yield objects;
      startAfter = objects.at(-1)?.key;
      if (page.IsTruncated !== true) return;
      if (startAfter === undefined) throw new IncompleteListing(this.urlOf(prefix));
    }
  }

  /** First parts of keys, up to a slash, below the bucket's prefix. */
  async *folders(): AsyncGenerator<string, void, void> {
    let token: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await this.#listPage({ prefix: "" }, { Delimiter: "/", token });
      for (const { Prefix = "" } of page.CommonPrefixes ?? []) yield Prefix.slice(this.prefix.length, -1);
      token = page.NextContinuationToken;
      if (page.IsTruncated === true && token === undefined) throw new IncompleteListing(this.urlOf(""));
    } while (token !== undefined);
  }

  async #listPage(
    { prefix = "", after }: ListRange,
    { Delimiter, token }: { Delimiter?: string; token?: string | undefined } = {},
  ): Promise<ListObjectsV2CommandOutput> {
    const { sdk, client } = await this.#open();
    const input = {
      Bucket: this.name,
      Prefix: this.prefix + prefix,
      ...(after !== undefined && { StartAfter: this.prefix + after }),
      ...(Delimiter !== undefined && { Delimiter }),
      ...(token !== undefined && { ContinuationToken: token }),
    };
    return withRetries(this.#readPolicy, async (abortSignal) => {
      const page = await client.send(new sdk.ListObjectsV2Command(input), { abortSignal });
      const listed = (page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0);
      // Half an answer can be well-formed to a lenient parser; its own count tells.
      if (page.IsTruncated === undefined || (page.KeyCount ?? listed) !== listed) {
        throw new IncompleteListing(this.urlOf(prefix));
      }
      return page;
    });
  }

  /** Every version and delete marker, in the order of keys, newest first. */
  async *versions(prefix: string): AsyncGenerator<ObjectVersion, void, void> {
    const { sdk, client } = await this.#open();
    let next: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (;;) {
      const input: ListObjectVersionsCommandInput = { Bucket: this.name, Prefix: this.prefix + prefix, ...next };
      const page: ListObjectVersionsCommandOutput = await withRetries(this.#readPolicy, async (abortSignal) =>
        client.send(new sdk.ListObjectVersionsCommand(input), { abortSignal }),
      );
      const found = [
        ...(page.Versions ?? []).map((version) => ({ ...version, isDeleteMarker: false })),
        ...(page.DeleteMarkers ?? []).map((marker) => ({ ...marker, isDeleteMarker: true })),
      ];
      for (const { Key = "", VersionId = "", IsLatest = false, LastModified, isDeleteMarker } of found) {
        yield {
          key: Key.slice(this.prefix.length),
          versionId: VersionId,
          isDeleteMarker,
          isLatest: IsLatest,
          modified: LastModified?.toISOString() ?? "",
        };
      }
      if (page.IsTruncated !== true) return;
      if (page.NextKeyMarker === undefined) throw new IncompleteListing(this.urlOf(prefix));
      next = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
  }

  /** Whether the bucket keeps versions; undefined when this may not be asked. */
  async isVersioned(): Promise<boolean | undefined> {
    const { sdk, client } = await this.#open();
    return this.#readSetting(async (abortSignal) => {
      const { Status } = await client.send(new sdk.GetBucketVersioningCommand({ Bucket: this.name }), { abortSignal });
      return Status !== undefined;
    });
  }

  /** The bucket's own rules that remove objects of this prefix; undefined when this may not be asked. */
  async expiryRules(): Promise<readonly ExpiryRule[] | undefined> {
    const { sdk, client } = await this.#open();
    return this.#readSetting(async (abortSignal) => {
      const command = new sdk.GetBucketLifecycleConfigurationCommand({ Bucket: this.name });
      const { Rules = [] } = await client.send(command, { abortSignal });
      return Rules.flatMap(({ ID = "", Status, Filter, Expiration }) => {
        const days = Expiration?.Days;
        const prefix = Filter?.Prefix ?? Filter?.And?.Prefix ?? "";
        return Status === "Enabled" && days !== undefined && this.prefix.startsWith(prefix)
          ? [{ id: ID, prefix, days }]
          : [];
      });
    });
  }

  /** Deletes objects, or single versions of them. Resolves to those that the server refused to delete, with its reason. */
  async remove(
    objects: readonly { readonly key: string; readonly versionId?: string }[],
  ): Promise<{ readonly key: string; readonly reason: string }[]> {
    const { sdk, client } = await this.#open();
    const refused: { key: string; reason: string }[] = [];
    for (let at = 0; at < objects.length; at += DELETE_BATCH) {
      const batch = objects.slice(at, at + DELETE_BATCH).map(({ key, versionId }) => ({
        Key: this.prefix + key,
        ...(versionId !== undefined && { VersionId: versionId }),
      }));
      const input = { Bucket: this.name, Delete: { Objects: batch, Quiet: true } };
      const { Errors = [] } = await withRetries(this.#readPolicy, async (abortSignal) =>
        client.send(new sdk.DeleteObjectsCommand(input), { abortSignal }),
      );
      for (const { Key = "", Code = "", Message = "" } of Errors) {
        refused.push({ key: Key.slice(this.prefix.length), reason: `${Code} ${Message}`.trim() });
      }
    }
    return refused;
  }

  async #read<T>(attempt: Attempt<T>): Promise<T | undefined> {
    try {
      return await withRetries(this.#readPolicy, attempt);
    } catch (error) {
      // No key, but not: no bucket.
      if (statusOf(error) === 404 && error instanceof Error && error.name !== "NoSuchBucket") return undefined;
      throw error;
    }
  }

  /** A setting of the bucket: none, unknown to the server, or not for this caller to know. */
  async #readSetting<T>(attempt: Attempt<T>): Promise<T | undefined> {
    try {
      return await withRetries(this.#readPolicy, attempt);
    } catch (error) {
      if ([403, 404, 405, 501].includes(statusOf(error) ?? 0)) return undefined;
      throw error;
    }
  }

  #target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.name, Key: this.prefix + key };
  }

  #newObject({ key, metadata, contentType, lockedUntil }: NewObject, options: ResolvedObjectOptions): ObjectInput {
    const { objectLock, legalHold, serverSideEncryption, storageClass } = options;
    return {
      ...this.#target(key),
      Metadata: { ...metadata },
      ContentType: contentType,
      ...(objectLock && { ObjectLockMode: objectLock.mode, ObjectLockRetainUntilDate: lockedUntil }),
      ...(legalHold === true && { ObjectLockLegalHoldStatus: "ON" as const }),
      ...(serverSideEncryption === "sse-s3" && { ServerSideEncryption: "AES256" as const }),
      ...(typeof serverSideEncryption === "object" && {
        ServerSideEncryption: "aws:kms" as const,
        SSEKMSKeyId: serverSideEncryption.kmsKeyId,
      }),
      // The SDK's list of classes grows with its versions; the server knows which there are.
      ...(storageClass !== undefined && { StorageClass: storageClass as NonNullable<ObjectInput["StorageClass"]> }),
    };
  }

  async #open(): Promise<Opened> {
    this.#opened ??= openClient(this.#connection);
    return this.#opened;
  }
}

type ObjectInput = Omit<PutObjectCommandInput, "Body" | "ChecksumAlgorithm">;

async function openClient({ client, region, endpoint, pathStyle }: ResolvedConnection): Promise<Opened> {
  const sdk = await importPeer("@aws-sdk/client-s3", async () => import("@aws-sdk/client-s3"));
  const settings = {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint, ...(region === undefined && { region: "us-east-1" }) }),
    forcePathStyle: pathStyle,
    maxAttempts: 1, // retries are ours: with one key, one deadline, and what a 412 means
    requestChecksumCalculation: "WHEN_REQUIRED" as const, // checksums are given where they count
    responseChecksumValidation: "WHEN_REQUIRED" as const,
  };
  return { sdk, client: client ?? new sdk.S3Client(settings) };
}

/** A body may take its time, as long as it keeps coming. */
async function readAll(body: Readable, alive: () => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    chunks.push(Buffer.from(chunk));
    alive();
  }
  return Buffer.concat(chunks);
}

/** Whether there are fewer bytes than the answer's own headers say. */
function isCut({ ContentLength, ContentRange = "" }: GetObjectCommandOutput, bytes: number): boolean {
  const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(ContentRange) ?? [];
  const isOfRange = from === undefined || to === undefined || bytes === Number(to) - Number(from) + 1;
  return bytes !== (ContentLength ?? bytes) || !isOfRange;
}

/** Whether the bytes of a whole object have its ETag, where that is their MD5: not of parts, and not under a KMS key. */
function hasItsETag(
  { ETag = "", ContentRange, ServerSideEncryption, SSECustomerAlgorithm }: GetObjectCommandOutput,
  body: Buffer,
): boolean {
  const [, md5] = /^"([0-9a-f]{32})"$/.exec(ETag) ?? [];
  const isOther = (ServerSideEncryption ?? "AES256") !== "AES256" || SSECustomerAlgorithm !== undefined;
  if (md5 === undefined || ContentRange !== undefined || isOther || getFips() === 1) return true;
  return hash("md5", body) === md5;
}

/** Fewer bytes than announced. The name is S3's own for the same. */
class IncompleteBody extends Error {
  override readonly name: string = "IncompleteBody";
  constructor(key: string) {
    super(`the body of ${key} ended early`);
  }
}

/** A page of a listing that does not hold what it says, or does not say how to go on. */
class IncompleteListing extends Error {
  override readonly name: string = "IncompleteListing";
  constructor(url: string) {
    super(`the listing of ${url} ended early`);
  }
}
