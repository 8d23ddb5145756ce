// A log that is looked at: its storage, its index, its verdict, and who is told of changes.
import {
  type Actor,
  type AuditEntry,
  type AuditLogger,
  type AuditStorage,
  type EncryptionManager,
  joinReviews,
  type ReviewCase,
  type TimeRange,
} from "@ai-audit/core";
import type { S3Connection } from "@ai-audit/core/s3";
import {
  type AnchorToVerify,
  type LogSource,
  logSourcesAt,
  type Verification,
} from "@ai-audit/core/verify";
import type { PersonRow } from "../data/rows.ts";
import { RequestError } from "./answers.ts";
import { EntryIndex } from "./entry-index.ts";
import { findingsOf } from "./marks.ts";

/** The log, and what the operator gave to look at it. */
export interface LogToView {
  /** Absolute path, or `s3://bucket/prefix`. */
  readonly location: string;
  readonly storage: AuditStorage;
  /** The way to a bucket. @default the AWS SDK's own settings */
  readonly s3?: S3Connection;
  /** Verification keys that are trusted: see `verifyLog()`. @default none */
  readonly trustedKeys?: readonly string[];
  /**
   * Anchor logs that `verify` is given too. Proofs of entries lead to the first one.
   * @default none
   */
  readonly anchors?: readonly AnchorToVerify[];
  /** Verifies the log; called again on request. */
  readonly verify: (onProgress: (share: number) => void) => Promise<Verification>;
  /** Opens encrypted contents. @default contents stay encrypted */
  readonly encryption?: EncryptionManager | undefined;
  /** Records each reveal and each content search. @default they are not recorded */
  readonly accessLog?: AuditLogger | undefined;
  /** The person who looks, for the access log. @default not stated */
  readonly viewer?: Actor;
  /** Milliseconds between looks for new entries. @default 1000, and 10,000 in a bucket */
  readonly pollMs?: number;
  /** The present. @default the clock */
  readonly now?: () => Date;
}

/** Milliseconds for which joined reviews are kept: what waits grows older meanwhile. */
const JOINED_MS = 10_000;

async function* each(entries: readonly AuditEntry[]): AsyncGenerator<AuditEntry> {
  yield* entries;
}

/** A log while it is looked at. */
export class OpenedLog {
  readonly location: string;
  readonly storage: AuditStorage;
  readonly s3: S3Connection;
  readonly trustedKeys: readonly string[];
  readonly anchors: readonly AnchorToVerify[];
  readonly encryption: EncryptionManager | undefined;
  readonly accessLog: AuditLogger | undefined;
  readonly #viewer: Actor | undefined;
  readonly now: () => Date;
  readonly index: EntryIndex;
  readonly #verify: LogToView["verify"];
  readonly #pollMs: number;
  readonly #listeners = new Set<() => void>();
  #verdict: Promise<Verification>;
  #verified = 0;
  #joined: { count: number; at: number; cases: Promise<readonly ReviewCase[]> } = {
    count: 0,
    at: 0,
    cases: Promise.resolve([]),
  };
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Resolves when all entries were read once. */
  readonly indexed: Promise<unknown>;
  /** Resolves when all entries were read once, and the verdict marked them. */
  readonly ready: Promise<void>;

  constructor(log: LogToView) {
    const { location, storage, s3 = {}, trustedKeys = [], verify, encryption, accessLog } = log;
    this.location = location;
    this.storage = storage;
    this.s3 = s3;
    this.trustedKeys = trustedKeys;
    this.anchors = log.anchors ?? [];
    this.encryption = encryption;
    this.accessLog = accessLog;
    this.#viewer = log.viewer;
    this.now = log.now ?? (() => new Date());
    this.index = new EntryIndex(storage);
    this.#verify = verify;
    this.#pollMs = log.pollMs ?? (location.startsWith("s3://") ? 10_000 : 1000);
    this.indexed = this.index.refresh();
    this.#verdict = this.#judge();
    this.ready = this.#begin();
    this.ready.catch(() => undefined); // requests report it
    this.#verdict.catch(() => undefined);
  }

  async #begin(): Promise<void> {
    await Promise.all([this.indexed, this.#verdict]);
    this.#changed();
    this.#schedule();
  }

  /** Share of the log that was verified; 1 once there is a verdict. */
  get verified(): number {
    return this.#verified;
  }

  /** The verdict; waits for it. */
  async verdict(): Promise<Verification> {
    return this.#verdict;
  }

  /** Verifies once more. */
  verifyAgain(): void {
    if (this.#verified < 1) return;
    this.#verified = 0;
    this.#verdict = this.#judge();
    this.#verdict.catch(() => undefined);
  }

  async #judge(): Promise<Verification> {
    const covered = this.index.coverage();
    const result = await this.#verify((share) => (this.#verified = Math.min(share, 0.999)));
    this.index.judge(await findingsOf(result, await this.sources()), covered);
    this.#verified = 1;
    this.#changed();
    return result;
  }

  /** Read access to the log's files. */
  readonly sources = async (): Promise<readonly LogSource[]> =>
    logSourcesAt(this.location, { s3: this.s3 });

  /** The time range of the entries that meet a condition. */
  rangeOf(conditions: Parameters<EntryIndex["select"]>[0]): TimeRange {
    const places = this.index.select(conditions, {});
    const [first, last] = [places[0], places.at(-1)];
    if (first === undefined || last === undefined) return {};
    return { from: this.index.timeAt(first), to: this.index.timeAt(last) };
  }

  /** What waits or waited for a person's decision. It is joined anew after ten seconds, or when
   * there are more entries about it. */
  async reviewCases(): Promise<readonly ReviewCase[]> {
    const { reviews } = this.index;
    const now = this.now().getTime();
    const { count, at } = this.#joined;
    if (count !== reviews.length || now - at >= JOINED_MS)
      this.#joined = { count: reviews.length, at: now, cases: joinReviews(each(reviews), now) };
    return this.#joined.cases;
  }

  /**
   * Data subjects, those with the most entries first; with `name` the keys of that person alone.
   * @throws {RequestError} 400 where a name is given and no key that names are found by
   */
  async subjects(name: string): Promise<readonly PersonRow[]> {
    if (name !== "" && this.encryption === undefined)
      throw new RequestError(
        400,
        "Names are found by the content key: start with --decrypt, AUDIT_ENCRYPTION_KEY and AUDIT_SUBJECT_KEYS.",
      );
    const own = name === "" ? undefined : await this.encryption?.subjectIds(name);
    const counts = new Map<string, number>(own?.map((id) => [id, 0]));
    for (let place = 0; place < this.index.size; place += 1) {
      const subject = this.index.textAt(place, "subject");
      if (subject === undefined || own?.includes(subject) === false) continue;
      counts.set(subject, (counts.get(subject) ?? 0) + 1);
    }
    return [...counts]
      .map(([subject, entries]) => ({ subject, entries }))
      .toSorted((a, b) => b.entries - a.entries);
  }

  /**
   * Records an access to contents before it happens. One that cannot be recorded does not happen.
   */
  async recordAccess(
    access: string,
    details: Readonly<Record<string, string | number>>,
    subject?: string,
  ): Promise<void> {
    await this.accessLog?.log({
      operation: "event",
      input: "",
      output: "",
      ...(this.#viewer && { actor: this.#viewer }),
      metadata: {
        event: access,
        log: this.location,
        ...details,
        ...(subject !== undefined && { subject_id: subject }),
      },
    });
  }

  /** Calls `listener` when entries or a verdict arrived. Returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Looks for new entries while a page is open. */
  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#look(), this.#pollMs);
  }

  async #look(): Promise<void> {
    try {
      if (this.#listeners.size > 0 && (await this.index.refresh()) > 0) this.#changed();
    } catch {
      // The place may come back: the next look tries again.
    }
    this.#schedule();
  }

  /** Stops looking. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }
}
