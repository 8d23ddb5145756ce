// Finding an entry's place in a segment by bisection over its bytes: entry ids ascend within a segment.
import { type RandomAccess, readAt } from "../../retention/random-access.ts";

const LF = 0x0a;
const QUOTE = 0x22;
/** What every entry line of ours begins with. */
const ENTRY_PREFIX = Buffer.from('{"id":"');
const ID_LENGTH = 36;
/** One probe: room for the end of one line and the beginning of the next, as a rule. */
const PROBE_BYTES = 2048;
/** Where a line is long, probes grow to this. */
const MAX_PROBE_BYTES = 2 ** 20;

/** RFC 9562: 48 bits of a UUIDv7 are its time. */
const MAX_ID_TIME = 2 ** 48 - 1;

interface EntryPlace {
  readonly start: number;
  readonly id: string;
}

/** The id of an entry line that our writer wrote, without parsing it; undefined for any other line. */
export function idOfLine(line: Buffer): string | undefined {
  const end = ENTRY_PREFIX.length + ID_LENGTH;
  return line.length > end &&
    line[end] === QUOTE &&
    line.subarray(0, ENTRY_PREFIX.length).equals(ENTRY_PREFIX)
    ? line.toString("latin1", ENTRY_PREFIX.length, end)
    : undefined;
}

/** The smallest id of a millisecond, cut off behind the time: it sorts before every id of that time. */
export function idAt(time: number): string {
  const hex = Math.min(Math.max(0, Math.floor(time)), MAX_ID_TIME)
    .toString(16)
    .padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}`;
}

/** Offset of the first entry line in [0, `size`) whose id is `target` or greater; `size` when there is none. */
export async function lowerBound(
  handle: RandomAccess,
  size: number,
  target: string,
): Promise<number> {
  let low = 0; // entries that start before it are smaller
  let high = size; // entries that start there or behind it are not
  let found = size;
  while (low < high) {
    const middle = high - low <= PROBE_BYTES ? low : low + Math.floor((high - low) / 2);
    const entry = await firstEntryFrom(handle, middle, high);
    if (entry && entry.id < target) {
      low = entry.start + 1;
    } else {
      if (entry) found = entry.start;
      high = middle;
    }
  }
  return found;
}

/** The first entry line that starts in [`from`, `end`). */
async function firstEntryFrom(
  handle: RandomAccess,
  from: number,
  end: number,
): Promise<EntryPlace | undefined> {
  // One byte before `from` tells whether a line starts exactly there.
  let position = Math.max(0, from - 1);
  let atLineStart = from === 0;
  for (let length = PROBE_BYTES; position < end; length = Math.min(length * 2, MAX_PROBE_BYTES)) {
    const bytes = await readAt(handle, position, length);
    if (bytes.length === 0) return undefined;
    let at = 0;
    while (at < bytes.length) {
      if (atLineStart) {
        const start = position + at;
        if (start >= end) return undefined;
        const needed = ENTRY_PREFIX.length + ID_LENGTH + 1;
        const head =
          at + needed <= bytes.length
            ? bytes.subarray(at, at + needed)
            : await readAt(handle, start, needed);
        const id = idOfLine(head);
        if (id !== undefined) return { start, id };
      }
      const lineFeed = bytes.indexOf(LF, at);
      atLineStart = lineFeed !== -1;
      at = lineFeed === -1 ? bytes.length : lineFeed + 1;
    }
    position += bytes.length;
  }
  return undefined;
}
