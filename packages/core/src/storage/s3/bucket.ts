// A bucket: reading, listing and deleting below one prefix. Only this file, put-once.ts and
// connection.ts touch the AWS SDK. Over 300 lines: one method for each request, with the servers'
// answers that it distinguishes.
import { Readable } from "node:stream";
import type {
  ListObjectVersionsCommandInput,
  ListObjectVersionsCommandOutput,
  ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import {
  type Attempt,
  IncompleteBody,
  type RetryPolicy,
  hasItsETag,
  isCut,
  readAll,
  statusOf,
  withRetries,
} from "./request.ts";
import { type Opened, openClient } from "./connection.ts";
import type { ResolvedConnection } from "./options.ts";

/** An object as a listing shows it. Keys are without the bucket's prefix, everywhere. */
export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  /** Another one once the object was written again. */
  readonly stamp: string;
}

/** A version of an object, or a marker that it was deleted. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isDeleteMarker: boolean;
  readonly isLatest: boolean;
  /** RFC 3339. */
  readonly modified: string;
  /** Equal for equal bytes; empty for a delete marker. */
  readonly etag: string;
}

export type Metadata = Readonly<Record<string, string>>;

export interface ObjectHead {
  readonly bytes: number;
  readonly metadata: Metadata;
  /** SHA-256 of the whole object in base64, where the server knows it. */
  readonly sha256: string | undefined;
  /** Absent where the bucket keeps no versions. */
  readonly versionId?: string | undefined;
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
  /**
   * End of the object's lock, where objects are locked. Fixed once, so that every attempt sends the
   * same time.
   */
  readonly lockedUntil: Date | undefined;
}

/** A part of an object that is sent in several. */
export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  readonly sha256: string;
}

/** Keys of one page of a listing. */
export interface ListRange {
  /** Below the bucket's own prefix. */
  readonly prefix?: string;
  /** Only keys after this one. */
  readonly after?: string;
}

/** Milliseconds during which a read is retried. */
const READ_TIMEOUT_MS = 60_000;
/** S3 deletes at most this many objects in one request. */
const DELETE_BATCH = 1000;

/**
 * Keys, bodies and metadata below one prefix of one bucket. Reads are retried after failures that
 * may pass.
 */
export class S3Bucket {
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

  /** The object, or `range` (from, to: bytes, inclusive) of it; undefined when there is none. */
  async get(
    key: string,
    range?: { from: number; to: number },
    versionId?: string,
  ): Promise<FetchedObject | undefined> {
    const { sdk, client } = await this.open();
    const input = {
      ...this.target(key),
      ...(versionId !== undefined && { VersionId: versionId }),
      ...(range && { Range: `bytes=${range.from}-${range.to}` }),
    };
    let doubtful: Buffer | undefined;
    return this.#read(async (abortSignal, alive) => {
      const answer = await client.send(new sdk.GetObjectCommand(input), { abortSignal });
      const body =
        answer.Body instanceof Readable ? await readAll(answer.Body, alive) : Buffer.alloc(0);
      if (isCut(answer, body.length)) throw new IncompleteBody(key);
      // An ETag need not be a digest on every server: the same bytes read twice are the object's.
      if (!hasItsETag(answer, body) && doubtful?.equals(body) !== true) {
        doubtful = body;
        throw new IncompleteBody(key);
      }
      return { body, metadata: answer.Metadata ?? {} };
    });
  }

  /** The attributes of an object, without its body; undefined when there is none. */
  async head(key: string, versionId?: string): Promise<ObjectHead | undefined> {
    const { sdk, client } = await this.open();
    const version = versionId === undefined ? {} : { VersionId: versionId };
    const input = { ...this.target(key), ...version, ChecksumMode: "ENABLED" as const };
    return this.#read(async (abortSignal) => {
      const answer = await client.send(new sdk.HeadObjectCommand(input), { abortSignal });
      const isWhole = answer.ChecksumType !== "COMPOSITE" && !answer.ChecksumSHA256?.includes("-");
      return {
        bytes: answer.ContentLength ?? 0,
        metadata: answer.Metadata ?? {},
        sha256: isWhole ? answer.ChecksumSHA256 : undefined,
        versionId: answer.VersionId,
      };
    });
  }

  /**
   * The same of an object that may not be there; undefined also where the server does not say.
   * Without `s3:ListBucket`, S3 answers 403 for every missing key, and a writer need not have that
   * permission.
   */
  async peek(key: string): Promise<ObjectHead | undefined> {
    try {
      return await this.head(key);
    } catch (error) {
      if (statusOf(error) === 403) return undefined;
      throw error;
    }
  }

  /** Objects in the order of their keys, a page of at most 1,000 at a time. */
  async *list({
    prefix = "",
    after,
  }: ListRange): AsyncGenerator<readonly ListedObject[], void, void> {
    // Each page begins after the last key seen, not at a token: a token may have expired when a
    // slow reader comes back.
    let startAfter = after;
    for (;;) {
      const page = await this.#listPage({
        prefix,
        ...(startAfter !== undefined && { after: startAfter }),
      });
      const objects = (page.Contents ?? []).map(({ Key = "", Size = 0, ETag, LastModified }) => ({
        key: Key.slice(this.prefix.length),
        bytes: Size,
        stamp: `${Size} ${ETag} ${LastModified?.getTime()}`,
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
      const page: ListObjectsV2CommandOutput = await this.#listPage(
        { prefix: "" },
        { Delimiter: "/", token },
      );
      for (const { Prefix = "" } of page.CommonPrefixes ?? [])
        yield Prefix.slice(this.prefix.length, -1);
      token = page.NextContinuationToken;
      if (page.IsTruncated === true && token === undefined)
        throw new IncompleteListing(this.urlOf(""));
    } while (token !== undefined);
  }

  async #listPage(
    { prefix = "", after }: ListRange,
    { Delimiter, token }: { Delimiter?: string; token?: string | undefined } = {},
  ): Promise<ListObjectsV2CommandOutput> {
    const { sdk, client } = await this.open();
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
      // A lenient parser may accept a truncated answer; the count in the answer reveals it.
      if (page.IsTruncated === undefined || (page.KeyCount ?? listed) !== listed) {
        throw new IncompleteListing(this.urlOf(prefix));
      }
      return page;
    });
  }

  /** Every version and delete marker, in the order of keys, newest first. */
  async *versions(prefix: string): AsyncGenerator<ObjectVersion, void, void> {
    const { sdk, client } = await this.open();
    let next: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (;;) {
      const input: ListObjectVersionsCommandInput = {
        Bucket: this.name,
        Prefix: this.prefix + prefix,
        ...next,
      };
      const page: ListObjectVersionsCommandOutput = await withRetries(
        this.#readPolicy,
        async (abortSignal) =>
          client.send(new sdk.ListObjectVersionsCommand(input), { abortSignal }),
      );
      const found = [
        ...(page.Versions ?? []).map((version) => ({ ...version, isDeleteMarker: false })),
        ...(page.DeleteMarkers ?? []).map((marker) => ({
          ...marker,
          isDeleteMarker: true,
          ETag: "",
        })),
      ];
      for (const {
        Key = "",
        VersionId = "",
        IsLatest = false,
        LastModified,
        ETag = "",
        isDeleteMarker,
      } of found) {
        yield {
          key: Key.slice(this.prefix.length),
          versionId: VersionId,
          isDeleteMarker,
          isLatest: IsLatest,
          modified: LastModified?.toISOString() ?? "",
          etag: ETag,
        };
      }
      if (page.IsTruncated !== true) return;
      if (page.NextKeyMarker === undefined) throw new IncompleteListing(this.urlOf(prefix));
      next = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
  }

  /** Whether the bucket keeps versions; undefined without permission to ask. */
  async isVersioned(): Promise<boolean | undefined> {
    const { sdk, client } = await this.open();
    return this.#readSetting(async (abortSignal) => {
      const { Status } = await client.send(
        new sdk.GetBucketVersioningCommand({ Bucket: this.name }),
        { abortSignal },
      );
      return Status !== undefined;
    });
  }

  /**
   * Deletes objects, or single versions of them. Resolves to those that the server refused to
   * delete, with its reason.
   */
  async remove(
    objects: readonly { readonly key: string; readonly versionId?: string }[],
  ): Promise<{ readonly key: string; readonly reason: string }[]> {
    const { sdk, client } = await this.open();
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

  /**
   * Asks for one key. A server that refuses the listing has answered: a writer needs no right to
   * list.
   */
  async probe(): Promise<void> {
    const { sdk, client } = await this.open();
    const input = { Bucket: this.name, Prefix: this.prefix, MaxKeys: 1 };
    try {
      await withRetries(this.#readPolicy, async (abortSignal) =>
        client.send(new sdk.ListObjectsV2Command(input), { abortSignal }),
      );
    } catch (error) {
      if (!(error instanceof Error && error.name === "AccessDenied")) throw error;
    }
  }

  async #read<T>(attempt: Attempt<T>): Promise<T | undefined> {
    try {
      return await withRetries(this.#readPolicy, attempt);
    } catch (error) {
      // A missing key, not a missing bucket.
      if (statusOf(error) === 404 && error instanceof Error && error.name !== "NoSuchBucket")
        return undefined;
      throw error;
    }
  }

  /** A setting of the bucket: none, unknown to the server, or refused to these credentials. */
  async #readSetting<T>(attempt: Attempt<T>): Promise<T | undefined> {
    try {
      return await withRetries(this.#readPolicy, attempt);
    } catch (error) {
      if ([403, 404, 405, 501].includes(statusOf(error) ?? 0)) return undefined;
      throw error;
    }
  }

  /** A key as the SDK takes it. */
  target(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.name, Key: this.prefix + key };
  }

  /** The SDK, loaded at the first use, and a client. */
  async open(): Promise<Opened> {
    this.#opened ??= openClient(this.#connection);
    return this.#opened;
  }
}

/** A page of a listing that lacks keys it counts, or does not say how to continue. */
class IncompleteListing extends Error {
  override readonly name: string = "IncompleteListing";
  constructor(url: string) {
    super(`the listing of ${url} ended early`);
  }
}
