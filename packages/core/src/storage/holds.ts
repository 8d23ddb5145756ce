// Holds: what must not be removed, whatever its age (docs/format.md, section 6). A hold or its release is the second
// line of a segment of its own, so that whoever removes files finds all of them by reading the beginning of each file.
import { type Directory, parseObject, type RandomAccess, readAt } from "./directory.ts";

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
  /** The segment that records it. */
  readonly file: string;
}

/** The holds and releases of a log. */
export interface Holds {
  /** Not released, oldest first. */
  readonly active: readonly Hold[];
  /** By the file that records a release: the file that records its hold. */
  readonly releases: ReadonlyMap<string, string>;
}

/** Reads the beginning of every file. */
export async function readHolds(directory: Directory): Promise<Holds> {
  const seconds = new Map<string, string>();
  for (const { file } of await directory.list()) {
    const handle = await directory.open(file);
    if (!handle) continue;
    try {
      const line = await secondLine(handle);
      if (line !== undefined) seconds.set(file, line);
    } finally {
      await handle.close();
    }
  }
  return holdsOf(seconds);
}

/** The holds and releases among the second lines of files, by file. */
export function holdsOf(seconds: ReadonlyMap<string, string>): Holds {
  const placed = new Map<string, Hold>();
  const released = new Map<string, string>();
  for (const [file, line] of seconds) {
    if (line.startsWith('{"type":"retention.hold",')) {
      const hold = readHold(line, file);
      if (hold) placed.set(hold.id, hold);
    } else if (line.startsWith('{"type":"retention.release",')) {
      const id = parseObject(line)?.["hold"];
      if (typeof id === "string") released.set(file, id);
    }
  }
  const ended = new Set(released.values());
  const releases = [...released].flatMap(([file, id]) => {
    const hold = placed.get(id);
    return hold ? [[file, hold.file] as const] : [];
  });
  return { active: [...placed.values()].filter(({ id }) => !ended.has(id)), releases: new Map(releases) };
}

/** A file that could be removed: the timestamps of its oldest and newest entry, RFC 3339; null when it has none. */
export interface Candidate {
  readonly file: string;
  readonly from: string | null;
  readonly to: string | null;
}

/**
 * Whether a file must stay: an active hold covers one of its entries or stands in it, or it releases a hold whose
 * segment stays (without the release that hold would be in force again).
 */
export function keeps({ active, releases }: Holds, { file, from, to }: Candidate, going: ReadonlySet<string>): boolean {
  const released = releases.get(file);
  if (released !== undefined && !going.has(released)) return true;
  return active.some(
    (hold) =>
      hold.file === file ||
      (from !== null &&
        to !== null &&
        time(hold.from, -Infinity) <= time(to, 0) &&
        time(hold.to, Infinity) >= time(from, 0)),
  );
}

/** Milliseconds since the epoch. */
function time(timestamp: string | null, whenOpen: number): number {
  return timestamp === null ? whenOpen : Date.parse(timestamp);
}

const LF = 0x0a;

/** The second line of a file, when it is complete. */
export async function secondLine(handle: RandomAccess): Promise<string | undefined> {
  for (let length = 4096; ; length *= 8) {
    const bytes = await readAt(handle, 0, length);
    const first = bytes.indexOf(LF);
    const second = first === -1 ? -1 : bytes.indexOf(LF, first + 1);
    if (second !== -1) return bytes.toString("utf8", first + 1, second);
    if (bytes.length < length) return undefined;
  }
}

function readHold(line: string, file: string): Hold | undefined {
  const { hold, from, to, reason, actor, placed } = parseObject(line) ?? {};
  if (typeof hold !== "string") return undefined;
  // A bound that cannot be read holds everything on its side: a hold errs by keeping too much.
  return {
    id: hold,
    from: bound(from),
    to: bound(to),
    reason: text(reason),
    actor: text(actor),
    placed: text(placed),
    file,
  };
}

function bound(value: unknown): string | null {
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : null;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
