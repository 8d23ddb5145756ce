// A commit: the lines that become durable together. No I/O.
import { recordsCallAgain } from "../format/entry-line.ts";
import { timeOfId } from "../format/id.ts";
import { DAY_MS } from "../time.ts";

/** A line that waits for its commit. */
export interface PendingLine {
  readonly line: string;
  /** Undefined for control lines. */
  readonly id: string | undefined;
  /** UTF-8 bytes of the line. */
  readonly bytes: number;
}

/** Lines that become durable together. */
export interface Commit {
  readonly lines: readonly string[];
  /** Ids of the entries among them, ascending. */
  readonly ids: readonly string[];
  /** The number of entries that record a call which another entry records too. */
  readonly linked: number;
  /** Bytes of the lines with their line feeds. */
  readonly bytes: number;
  /** UTC day of the entries, or the present one: whole days since the epoch. */
  readonly day: number;
}

/** Limits of one commit. */
export interface CommitBounds {
  readonly maxLines: number;
  /** Bounds memory, and the time until the first of the lines is acknowledged. */
  readonly maxBytes: number;
  /** The ids of one commit lie at most this far apart. */
  readonly maxSpanMs: number;
}

/**
 * The number of waiting lines that fit into one commit, at least one. A commit stays within one
 * UTC day, one ascending run of ids, and the bounds.
 */
export function countForCommit(
  waiting: readonly PendingLine[],
  { maxLines, maxBytes, maxSpanMs }: CommitBounds,
): number {
  let bytes = 0;
  let firstTime = 0;
  let last = "";
  let count = 0;
  for (const { id, bytes: size } of waiting) {
    bytes += size + 1;
    if (count > 0 && (bytes > maxBytes || count >= maxLines)) break;
    if (id !== undefined) {
      const time = timeOfId(id) ?? 0;
      if (last === "") firstTime = time;
      else if (id <= last || time - firstTime > maxSpanMs || dayOf(time) !== dayOf(firstTime))
        break;
      last = id;
    }
    count += 1;
  }
  return count;
}

/** These lines as a commit. */
export function commitOf(pending: readonly PendingLine[]): Commit {
  const ids = pending.flatMap(({ id }) => id ?? []);
  return {
    lines: pending.map(({ line }) => line),
    ids,
    linked: pending.filter(({ line }) => recordsCallAgain(line)).length,
    bytes: pending.reduce((sum, { bytes }) => sum + bytes + 1, 0),
    day: dayOf(timeOfId(ids[0] ?? "") ?? Date.now()),
  };
}

/** The UTC day of a time in milliseconds: whole days since the epoch. */
export function dayOf(time: number): number {
  return Math.floor(time / DAY_MS);
}
