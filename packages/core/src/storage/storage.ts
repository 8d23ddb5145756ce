// The contract of a storage, a keeper of lines. It never looks into content; it makes lines durable
// and finds them again.
import type { AuditError } from "../errors.ts";

/** An inclusive range of entry timestamps, milliseconds since the epoch. Absent ends are open. */
export interface TimeRange {
  readonly from?: number;
  readonly to?: number;
}

/** Called with the fraction read so far: from 0 to 1, never less than before. */
export type OnProgress = (share: number) => void;

/** The result of `prune` or, with `dryRun`, its plan. */
export interface PruneResult {
  /** Entries removed. */
  readonly entries: number;
  /** Files or objects removed. */
  readonly files: readonly string[];
  /** Files past retention that a hold keeps. Absent where a storage knows no holds. */
  readonly held?: readonly string[];
  /**
   * Files past retention that stay because they do not match their seal, or the log's record of
   * them: removing one would remove the evidence. The verifier reports the problem. Also files
   * sealed by a key other than the signer's and the trusted ones: no verifier would believe a
   * record of their removal. Absent where a storage does not check.
   */
  readonly refused?: readonly string[];
  /**
   * All files past retention, in the order of their names, with their contents and the reasons of
   * those that stay. Absent where a storage does not list them.
   */
  readonly expired?: readonly ExpiredPart[];
}

/** A part of the log past retention: a file, or a day of a bucket (`2026-11-23/`). */
export interface ExpiredPart {
  readonly file: string;
  /** Entries in it; null where it stays and was not counted. */
  readonly entries: number | null;
  /**
   * Timestamps of its oldest and newest entry, RFC 3339, or the day's bounds; null when it has
   * none.
   */
  readonly from: string | null;
  readonly to: string | null;
  /** Its fate or, with `dryRun`, the planned one. */
  readonly fate: "removed" | "held" | "refused";
  /** Why it stays. */
  readonly reason?: string;
}

/** Options of a removal, and the facts for its record. */
export interface PruneOptions {
  /**
   * Whole files whose newest entry is older than this are removed, in milliseconds since the epoch.
   */
  readonly before: number;
  /** The rule that authorises the removal, for the log itself: `retention 365 days`. */
  readonly policy: string;
  /** The person or program that removes, for the log itself. */
  readonly actor: string;
  readonly dryRun?: boolean;
  /** The present, in milliseconds since the epoch. */
  readonly now: number;
  /** Called with the fraction examined, by a storage that knows it. */
  readonly onProgress?: OnProgress | undefined;
}

/** The state of the write lane. */
export interface WriteStatus {
  /** Lines appended and not yet acknowledged. */
  readonly pending: number;
  readonly pendingBytes: number;
  /** Entries whose `append` was rejected since this storage was made. */
  readonly lost: number;
  /** The error of the latest failed write; undefined once a later one succeeded. */
  readonly lastError: Error | undefined;
}

/**
 * A home for the log. `@ai-audit/core/testing` has the contract suite that every implementation
 * must pass.
 *
 * Lines are JSON objects without a line feed. A line without a `type` is an entry; others are
 * control lines, which are kept and never returned by `get`, `pages` and `count`.
 */
export interface AuditStorage {
  /**
   * Random id of this run of the writer: it names the segments written and the keys derived for
   * them.
   */
  readonly stream: string;
  /** False when a restart loses everything (memory). */
  readonly durable: boolean;
  /**
   * Keeps one line. Resolves when the line is durable and sealed; rejects with an `AuditWriteError`
   * when it is not, and with `AUDIT_INPUT_INVALID` for an invalid line, without harm to other
   * lines. Lines are kept in the order of the calls. `id` is the entry's id, with which its line
   * begins; absent for control lines.
   */
  append(line: string, id?: string): Promise<void>;
  /**
   * Counts an entry that was refused before it reached the storage; the log records the loss with
   * its next commit.
   */
  lose(id: string, reason: string): void;
  /** The line of the entry with this id. */
  get(id: string): Promise<string | undefined>;
  /**
   * Entry lines of a time range, a page at a time, in the order of their time (or the reverse). A
   * storage that knows its progress calls `onProgress`.
   */
  pages(
    range: TimeRange,
    order: "oldest-first" | "newest-first",
    onProgress?: OnProgress,
  ): AsyncIterable<readonly string[]>;
  /** Number of calls in a time range: entries, less those with `run.sameCallAs`. */
  count(range: TimeRange): Promise<number>;
  /** Removes files past retention, after durably recording the removal. */
  prune(options: PruneOptions): Promise<PruneResult>;
  status(): WriteStatus;
  /**
   * Rejects with the reason when the next write would fail: no rights, a full disk, a server that
   * does not answer. Writes nothing. Absent where a storage cannot tell.
   */
  probe?(): Promise<void>;
  /** Registers `listener` for failures that no caller waits for, such as those of an archive. */
  onProblem?(listener: (error: AuditError) => void): void;
  /** Resolves when every line appended before the call was acknowledged or rejected. */
  flush(): Promise<void>;
  /**
   * Flushes, ends open segments and releases them. Idempotent. Later appends reject with
   * `AUDIT_CLOSED`.
   */
  close(): Promise<void>;
}
