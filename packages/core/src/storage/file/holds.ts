// Holds: what must not be removed, whatever its age (docs/format.md, section 6). A hold or its release is the second
// line of a segment of its own, so that whoever removes files finds all of them by reading the beginning of each file.
import { safeLine } from "../../format/safe-text.ts";
import { prefixOf } from "../../format/control-line.ts";
import { readLineOf } from "../../format/read-control-line.ts";
import { type Directory, MAX_FIRST_LINE_BYTES } from "./directory.ts";
import { type RandomAccess, readAt } from "../../retention/random-access.ts";

/** A hold that was not released. */
export interface Hold {
  readonly id: string;
  /** Timestamps held, RFC 3339, both inclusive; null for an open end. */
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: string;
  readonly actor: string;
  /** When it was placed, RFC 3339. */
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

/**
 * Reads the beginning of every file. A hold is believed wherever it stands: one that is forged keeps too much, which
 * shows. A release must be proven, by the directory's own key or by that under which the hold was placed.
 */
export async function readHolds(directory: Directory): Promise<Holds> {
  const seconds = new Map<string, SecondLine>();
  for (const { file } of await directory.list()) {
    const line = (await firstLines(directory.reader(file)))?.second;
    const kind = line === undefined ? undefined : recordsHold(line);
    if (line === undefined || kind === undefined) continue;
    if (kind === "hold") {
      seconds.set(file, { line, vkey: (await directory.head(file))?.vkey ?? null });
    } else {
      const seal = await directory.seal(file);
      if (seal) seconds.set(file, { line, vkey: seal.vkey });
    }
  }
  // An unsigned hold is as easily taken away as it is released.
  return holdsOf(
    seconds,
    (vkey, hold) => hold.vkey === null || vkey === hold.vkey || directory.isOwn(vkey),
  );
}

/** Whether a line is one that places a hold, or one that releases one. */
export function recordsHold(line: string): "hold" | "release" | undefined {
  if (line.startsWith(HOLD_PREFIX)) return "hold";
  return line.startsWith(RELEASE_PREFIX) ? "release" : undefined;
}

const HOLD_PREFIX = prefixOf("retention.hold");
const RELEASE_PREFIX = prefixOf("retention.release");

/** The second line of a file, and the key that the file names. */
export interface SecondLine {
  readonly line: string;
  readonly vkey: string | null;
}

/** The holds and releases among the second lines of files, by file. `ends`: whether a key's release ends a hold. */
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
      const id = record.hold;
      released.set(id, [...(released.get(id) ?? []), { file, vkey }]);
    }
  }
  const releases = new Map<string, string>();
  const active: Hold[] = [];
  for (const hold of holds) {
    // The same id twice is two holds: a second, narrower one must not replace the first.
    const by = (released.get(hold.id) ?? []).filter(({ vkey }) => ends(vkey, hold));
    if (by.length === 0) active.push(hold);
    for (const { file } of by) releases.set(file, hold.file);
  }
  return { active, releases };
}

/** A file that could be removed: the timestamps of its oldest and newest entry, RFC 3339; null when it has none. */
export interface Candidate {
  readonly file: string;
  readonly from: string | null;
  readonly to: string | null;
}

/**
 * Why a file must stay: an active hold covers one of its entries or stands in it, or it releases a hold whose
 * segment stays (without the release that hold would be in force again). Undefined when no hold keeps it.
 */
export function whyHeld(
  { active, releases }: Holds,
  { file, from, to }: Candidate,
  going: ReadonlySet<string>,
): string | undefined {
  const released = releases.get(file);
  if (released !== undefined && !going.has(released))
    return `it releases the hold that ${released} records`;
  const found = active.find(
    (hold) =>
      hold.file === file ||
      (from !== null &&
        to !== null &&
        time(hold.from, -Infinity) <= time(to, 0) &&
        time(hold.to, Infinity) >= time(from, 0)),
  );
  return found && describeHold(found);
}

/** A hold in a few words: who keeps something and why. */
export function describeHold({ id, actor, reason }: Hold): string {
  return safeLine(`hold ${id} by ${actor}: ${reason}`);
}

/** Milliseconds since the epoch. */
function time(timestamp: string | null, whenOpen: number): number {
  return timestamp === null ? whenOpen : Date.parse(timestamp);
}

const LF = 0x0a;

/** Both lines together: a first line is bounded, and a reason is no novel. */
const MAX_SECOND_LINE_END = 2 * MAX_FIRST_LINE_BYTES;

/** The first two lines of a file, when they are complete. */
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
