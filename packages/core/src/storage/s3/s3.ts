// S3Storage: the log in a bucket of S3, or of any server that speaks its protocol.
import { AuditError, AuditWriteError } from "../../errors.ts";
import { newStream } from "../../format/id.ts";
import { dayOfSegment, segmentDay } from "../../format/segment-name.ts";
import { Actor } from "../../retention/trust.ts";
import { Mark } from "../mark.ts";
import { reading, readingPages } from "../read-failure.ts";
import { SegmentWriter } from "../segment-writer.ts";
import { S3Bucket } from "./bucket.ts";
import { MAX_SPAN_MS } from "./keys.ts";
import { resolveOptions, type ResolvedOptions, type S3StorageOptions } from "./options.ts";
import { pruneBucket } from "./prune.ts";
import { countEntries, findEntry, readPages } from "./read.ts";
import { reasonOf } from "./request.ts";
import { BucketSegments } from "./segment-objects.ts";
import { leavesThere } from "./witnessed.ts";
import type {
  AuditStorage,
  OnProgress,
  PruneOptions,
  PruneResult,
  TimeRange,
  WriteStatus,
} from "../storage.ts";

/**
 * Keeps the log in a bucket, in the layout of docs/format.md, section 7. Lines that are appended
 * while an object is on its way share the next one, so the cost grows with objects and not with
 * entries. Any number of processes may log to one prefix. An `append` resolves when the server has
 * confirmed the object.
 */
export class S3Storage implements AuditStorage {
  readonly stream: string = newStream();
  readonly durable: boolean = true;
  /** `s3://bucket/prefix`, as `verifyLog` takes it. */
  readonly location: string;
  readonly #options: ResolvedOptions;
  readonly #bucket: S3Bucket;
  readonly #writer: SegmentWriter;
  readonly #mark: Mark | undefined;

  /**
   * Throws `AUDIT_CONFIG_INVALID`, `AUDIT_KEY_INVALID` for an invalid trusted key. A missing
   * @aws-sdk/client-s3 shows with the first request, under the same code.
   */
  constructor(options: S3StorageOptions) {
    this.#options = resolveOptions(options);
    const {
      bucket,
      prefix,
      connection,
      objects,
      signer,
      trustedKeys,
      expiresDays,
      mark,
      maxEntries,
      maxBytes,
      maxDelayMs,
    } = this.#options;
    this.#bucket = new S3Bucket(bucket, prefix, connection);
    this.location = this.#bucket.urlOf("");
    const { stream } = this;
    this.#mark = mark === undefined ? undefined : new Mark(mark, this.location, stream);
    const backend = new BucketSegments({ bucket: this.#bucket, stream, objects, trustedKeys });
    this.#writer = new SegmentWriter(backend, {
      stream,
      signer,
      expiresDays,
      bounds: { maxLines: maxEntries, maxBytes, maxSpanMs: MAX_SPAN_MS },
      maxSegmentBytes: Infinity,
      mark: this.#mark,
      onFirstCommit: () => void this.#findGaps().catch(() => undefined), // the next process looks again
      ...(maxDelayMs > 0 && {
        company: {
          delayMs: maxDelayMs,
          isEnough: (lines, bytes) => lines >= maxEntries || bytes >= maxBytes,
        },
      }),
    });
  }

  /** Tells of segments that are shorter than their writers remembered. */
  async #findGaps(): Promise<void> {
    if (!this.#mark) return;
    const { signer, trustedKeys, expiresDays } = this.#options;
    const actor = new Actor(signer?.vkey, trustedKeys);
    const today = segmentDay(new Date());
    const { lines, settle } = await this.#mark.gaps(
      (state) => leavesThere(this.#bucket, state, { actor, expiresDays }),
      (file) => (dayOfSegment(file) ?? today) < today,
    );
    if (lines.length > 0) await this.#writer.commitAlone(lines);
    await settle();
  }

  append(line: string, id?: string): Promise<void> {
    return this.#writer.append(line, id);
  }

  lose(id: string, reason: string): void {
    this.#writer.lose(id, reason);
  }

  get(id: string): Promise<string | undefined> {
    return reading("the log could not be searched", findEntry(this.#bucket, id));
  }

  pages(
    range: TimeRange,
    order: "oldest-first" | "newest-first",
    onProgress?: OnProgress,
  ): AsyncIterable<readonly string[]> {
    return readingPages(
      "the log could not be read",
      readPages(this.#bucket, range, order, onProgress),
    );
  }

  /**
   * Counts by the metadata of objects within the range; a body is read only at the range's ends.
   * `verifyLog` compares metadata with the bodies; this does not.
   */
  count(range: TimeRange): Promise<number> {
    return reading("the log could not be counted", countEntries(this.#bucket, range));
  }

  /**
   * Removes whole UTC days that are past `before` and that no hold covers, with all their versions,
   * after a durable record of each segment. A segment that does not match its seal stays: `refused`
   * has its keys, and `expired` the reason.
   * @throws `AUDIT_WRITE_FAILED` naming the first object that the server refuses to delete (a lock,
   * a hold, a permission)
   */
  async prune(options: PruneOptions): Promise<PruneResult> {
    // Our own segment of an earlier day ends before anything is recorded about it.
    if (options.dryRun !== true) await this.#writer.endEarlierDay();
    const { signer, trustedKeys } = this.#options;
    const remover = {
      // A commit of their own: a later clean-up finds them without reading entries.
      record: (lines: readonly string[]) => this.#writer.commitAlone(lines),
      actor: new Actor(signer?.vkey, trustedKeys),
      stream: this.stream,
    };
    return reading(
      "expired days could not be removed",
      pruneBucket(this.#bucket, options, remover),
    );
  }

  /** Sends one request. Whether the credentials may write shows with a write alone. */
  async probe(): Promise<void> {
    try {
      await this.#bucket.probe();
    } catch (cause) {
      if (AuditError.isInstance(cause)) throw cause;
      const message = `cannot reach ${this.location}: ${reasonOf(cause)}`;
      throw new AuditWriteError("AUDIT_WRITE_FAILED", message, { cause });
    }
  }

  status(): WriteStatus {
    return this.#writer.status();
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}
