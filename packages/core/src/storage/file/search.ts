// Finding an entry's place in a segment by bisection over its bytes: entry ids ascend within a
// segment.
import { ID_END, idOfLine } from "../../format/id.ts";
import { type RandomAccess, readAt } from "../../retention/random-access.ts";
import { LF } from "../../format/lines.ts";

/** One probe: usually room for the end of one line and the beginning of the next. */
const PROBE_BYTES = 2048;
/** Probes of long lines grow to this. */
const MAX_PROBE_BYTES = 2 ** 20;

interface EntryPlace {
  readonly start: number;
  readonly id: string;
}

/**
 * Offset of the first entry line in [`from`, `size`) whose id is `target` or greater; `size` when
 * there is none.
 * @param from the beginning of a line; entries before it are smaller. @default 0
 */
export async function lowerBound(
  handle: RandomAccess,
  size: number,
  target: string,
  from = 0,
): Promise<number> {
  let low = from; // entries that start before it are smaller
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
        const needed = ID_END + 1;
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
