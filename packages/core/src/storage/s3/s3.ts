// S3Storage: the log in a bucket of S3, or of any server that speaks its protocol.
import { AuditWriteError } from "../../errors.ts";
import { newStream, timeOfId } from "../../format/id.ts";
import { checkLine } from "../../format/check-line.ts";
import { Actor } from "../../retention/trust.ts";
import { type PendingLine, WriteLane } from "../lane.ts";
import { reading, readingPages } from "../read-failure.ts";
import { S3Bucket } from "./bucket.ts";
import { dayOf, MAX_SPAN_MS } from "./keys.ts";
import { resolveOptions, type ResolvedOptions, type S3StorageOptions } from "./options.ts";
import { pruneBucket } from "./prune.ts";
import { countEntries, findEntry, readPages } from "./read.ts";
import { StreamWriter } from "./stream-writer.ts";
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
  readonly #writer: StreamWriter;
  readonly #lane: WriteLane;
  #endOfDay: NodeJS.Timeout | undefined;
  #isClosed = false;

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
      maxEntries,
      maxBytes,
      maxDelayMs,
    } = this.#options;
    this.#bucket = new S3Bucket(bucket, prefix, connection);
    this.location = this.#bucket.urlOf("");
    this.#writer = new StreamWriter({
      bucket: this.#bucket,
      stream: this.stream,
      objects,
      signer,
      trustedKeys,
      expiresDays,
    });
    this.#lane = new WriteLane({
      take: (waiting) => this.#take(waiting),
      commit: (lines) => this.#commit(lines),
      ...(maxDelayMs > 0 && {
        company: {
          delayMs: maxDelayMs,
          isEnough: (lines, bytes) => lines >= maxEntries || bytes >= maxBytes,
        },
      }),
    });
  }

  async append(line: string, id?: string): Promise<void> {
    checkLine(line, id);
    return this.#lane.append(line, id);
  }

  lose(id: string, reason: string): void {
    this.#lane.lose(id, reason);
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
   * Counts by what objects say about themselves, where they lie within the range: a body is read
   * only at its ends. `verifyLog` holds that against the bodies; this does not.
   */
  count(range: TimeRange): Promise<number> {
    return reading("the log could not be counted", countEntries(this.#bucket, range));
  }

  /**
   * Removes whole UTC days that are past `before` and that no hold covers, with all their versions,
   * after a durable record of each segment. A segment that is not what was sealed stays: `refused`
   * has its keys, and `expired` why.
   * @throws `AUDIT_WRITE_FAILED` naming the first object that the server refuses to delete (a lock,
   * a hold, a permission)
   */
  async prune(options: PruneOptions): Promise<PruneResult> {
    // Our own segment of an earlier day ends before anything is recorded about it.
    if (options.dryRun !== true) await this.#lane.exclusive(() => this.#endEarlierDay());
    const { signer, trustedKeys } = this.#options;
    const record = (lines: readonly string[]): Promise<void> => this.#record(lines);
    const remover = { record, actor: new Actor(signer?.vkey, trustedKeys), stream: this.stream };
    return reading(
      "expired days could not be removed",
      pruneBucket(this.#bucket, options, remover),
    );
  }

  /**
   * Control lines as a commit of their own: so a later clean-up finds them without reading what
   * entries say.
   */
  async #record(lines: readonly string[]): Promise<void> {
    const pending = lines.map((line) => ({ line, id: undefined, bytes: Buffer.byteLength(line) }));
    await this.#lane.exclusive(async () => {
      if (this.#isClosed) throw new AuditWriteError("AUDIT_CLOSED", "the storage is closed");
      await this.#commit(pending);
    });
  }

  async #endEarlierDay(): Promise<void> {
    const day = this.#writer.openDay;
    if (day !== undefined && day < dayOf(Date.now())) await this.#writer.end("day");
  }

  status(): WriteStatus {
    return this.#lane.status();
  }

  flush(): Promise<void> {
    return this.#lane.flush();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#lane.close(async () => {
      clearTimeout(this.#endOfDay);
      await this.#writer.end("close");
    });
  }

  /**
   * A commit stays within one UTC day, one ascending run of ids, a span of time, and the bounds
   * given.
   */
  #take(waiting: readonly PendingLine[]): number {
    const { maxEntries, maxBytes } = this.#options;
    let bytes = 0;
    let first = "";
    let last = "";
    let taken = 0;
    for (const { id, bytes: size } of waiting) {
      bytes += size + 1;
      if (taken > 0 && (bytes > maxBytes || taken >= maxEntries)) break;
      if (id !== undefined && first !== "" && (id <= last || !areNear(first, id))) break;
      if (id !== undefined) {
        first ||= id;
        last = id;
      }
      taken += 1;
    }
    return taken;
  }

  async #commit(lines: readonly PendingLine[]): Promise<void> {
    await this.#writer.commit(lines);
    this.#watchEndOfDay();
  }

  /**
   * An idle writer ends its segment when its day does, so that yesterday's log verifies as closed.
   */
  #watchEndOfDay(): void {
    clearTimeout(this.#endOfDay);
    const dayMs = 86_400_000;
    const isOver = (this.#writer.openDay ?? "") < dayOf(Date.now()); // written just before midnight, or imported
    const restOfDayMs = isOver ? 0 : dayMs - (Date.now() % dayMs);
    this.#endOfDay = setTimeout(() => {
      this.#lane.exclusive(() => this.#endEarlierDay()).catch(() => undefined); // the segment stays unclosed, which the verifier reports
    }, restOfDayMs + 1000).unref();
  }
}

/** What lets an entry be found by its id: see `MAX_SPAN_MS`. */
function areNear(first: string, id: string): boolean {
  const [from, to] = [timeOfId(first) ?? 0, timeOfId(id) ?? 0];
  return to - from <= MAX_SPAN_MS && dayOf(from) === dayOf(to);
}
