// Holds: time ranges that retention must not remove, whatever their age (docs/format.md, section
// 6). Decisions only.
import { prefixOf } from "../format/control-line.ts";
import { readLineOf } from "../format/read-control-line.ts";
import { safeLine } from "../format/safe-text.ts";
import { type RandomAccess, readAt } from "./random-access.ts";
import { LF } from "../format/lines.ts";

/** A hold in force: no release ended it. */
export interface Hold {
  readonly id: string;
  /** First and last timestamp held, RFC 3339, both inclusive; null for an open end. */
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: string;
  readonly actor: string;
  /** Time of its placing, RFC 3339. */
  readonly placed: string;
  /** The segment that records it; in a bucket, the key of the object. */
  readonly file: string;
  /** The key that this segment names; null when it is not signed. */
  readonly vkey: string | null;
}

/** The holds and releases of a log. */
export interface Holds {
  /** Not released, oldest first. */
  readonly active: readonly Hold[];
  /** By the file that records a release: the file that records its hold. */
  readonly releases: ReadonlyMap<string, string>;
}

/** The second line of a file, and the key that the file names. */
export interface SecondLine {
  readonly line: string;
  readonly vkey: string | null;
}

const HOLD_PREFIX = prefixOf("retention.hold");
const RELEASE_PREFIX = prefixOf("retention.release");

/** The effect of a second line on holds; undefined for any other line. */
export function kindOfHoldLine(line: string): "hold" | "release" | undefined {
  if (line.startsWith(HOLD_PREFIX)) return "hold";
  return line.startsWith(RELEASE_PREFIX) ? "release" : undefined;
}

/**
 * The holds and releases among the second lines of files, by file. `ends`: whether a key's release
 * ends a hold.
 */
export function holdsOf(
  seconds: ReadonlyMap<string, SecondLine>,
  ends: (vkey: string | null, hold: Hold) => boolean,
): Holds {
  const holds: Hold[] = [];
  const released = new Map<string, { readonly file: string; readonly vkey: string | null }[]>();
  for (const [file, { line, vkey }] of seconds) {
    const record = readLineOf(line, "retention.hold", "retention.release");
    if (record?.type === "retention.hold") {
      const { hold: id, from, to, reason, actor, placed } = record;
      holds.push({ id, from, to, reason, actor, placed, file, vkey });
    } else if (record !== undefined) {
      released.set(record.hold, [...(released.get(record.hold) ?? []), { file, vkey }]);
    }
  }
  const releases = new Map<string, string>();
  const active: Hold[] = [];
  for (const hold of holds) {
    // Two holds may have one id: the second, narrower one must not replace the first.
    const by = (released.get(hold.id) ?? []).filter(({ vkey }) => ends(vkey, hold));
    if (by.length === 0) active.push(hold);
    for (const { file } of by) releases.set(file, hold.file);
  }
  return { active, releases };
}

/** A file that retention could remove. */
export interface HeldSpan {
  readonly file: string;
  /** Timestamps of its oldest and newest entry, RFC 3339; null when it has none. */
  readonly from: string | null;
  readonly to: string | null;
}

/**
 * Why a file must stay: an active hold covers one of its entries or is recorded in it, or it
 * releases a hold whose segment stays (without the release that hold would be in force again).
 * Undefined when no hold keeps it.
 */
export function whyFileHeld(
  { active, releases }: Holds,
  { file, from, to }: HeldSpan,
  going: ReadonlySet<string>,
): string | undefined {
  const released = releases.get(file);
  if (released !== undefined && !going.has(released)) return releasing(released);
  const found = active.find(
    (hold) =>
      hold.file === file ||
      (from !== null && to !== null && overlaps(hold, Date.parse(from), Date.parse(to))),
  );
  return found && describeHold(found);
}

/**
 * Why a day of a bucket must stay: an active hold covers part of it or is recorded in it, or it
 * releases a hold of another day. `day` is the prefix of its keys; `from` and `to` are its bounds
 * in milliseconds.
 */
export function whyDayHeld(
  { active, releases }: Holds,
  { day, from, to }: { readonly day: string; readonly from: number; readonly to: number },
): string | undefined {
  const isOfDay = (key: string): boolean => key.startsWith(`${day}/`);
  const hold = active.find((candidate) => isOfDay(candidate.file) || overlaps(candidate, from, to));
  if (hold) return describeHold(hold);
  const [, released] =
    [...releases].find(([release, recorded]) => isOfDay(release) && !isOfDay(recorded)) ?? [];
  return released === undefined ? undefined : releasing(released);
}

/** A hold in a few words: its id, actor and reason. */
export function describeHold({ id, actor, reason }: Hold): string {
  return safeLine(`hold ${id} by ${actor}: ${reason}`);
}

function releasing(file: string): string {
  return `it releases the hold that ${file} records`;
}

function overlaps(hold: Hold, from: number, to: number): boolean {
  return (
    (hold.from === null || Date.parse(hold.from) <= to) &&
    (hold.to === null || Date.parse(hold.to) >= from)
  );
}

/** Both lines together: a first line has at most 16 MiB. */
const MAX_SECOND_LINE_END = 32 * 2 ** 20;

/** The first two lines of a file; undefined when they are not complete. */
export async function firstLines(
  handle: RandomAccess,
): Promise<{ readonly first: string; readonly second: string } | undefined> {
  for (let length = 4096; length <= MAX_SECOND_LINE_END; length *= 8) {
    const bytes = await readAt(handle, 0, length);
    const end = bytes.indexOf(LF);
    const secondEnd = end === -1 ? -1 : bytes.indexOf(LF, end + 1);
    if (secondEnd !== -1) {
      return {
        first: bytes.toString("utf8", 0, end),
        second: bytes.toString("utf8", end + 1, secondEnd),
      };
    }
    if (bytes.length < length) return undefined;
  }
  return undefined;
}
