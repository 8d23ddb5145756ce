// Ids: entries are UUIDv7 (RFC 9562), everything else is random base64url.
import { randomBytes, randomFillSync } from "node:crypto";
import { v7 } from "uuid";

/**
 * After a step back of the clock up to this size, ids keep their latest time; after a larger one
 * they follow the clock.
 */
const MAX_HELD_MS = 10_000;

/**
 * A new entry id. Ids of one process ascend strictly, also within a millisecond and when the clock
 * steps back a little: so a segment can be searched by bisection. After a large step back (the
 * clock had been ahead) ids follow the clock again, and storages begin a segment.
 */
export function newEntryId(): string {
  const now = Date.now();
  const random = nextRandom();
  if (now > newest.time || now < newest.time - MAX_HELD_MS) {
    newest.time = now;
    newest.sequence = random.readUInt32BE(6) >>> 1; // RFC 9562, 6.2: begins low enough not to overflow
  } else {
    newest.sequence = (newest.sequence + 1) >>> 0;
    if (newest.sequence === 0) newest.time += 1;
  }
  const id = v7({ msecs: newest.time, seq: newest.sequence, random });
  newest.id = id;
  return id;
}

/**
 * The newest entry id: its milliseconds, and the 32 bits behind them. State of the module, since
 * ids ascend in the whole process, over all loggers.
 */
const newest: { time: number; sequence: number; id: string | undefined } = {
  time: -Infinity,
  sequence: 0,
  id: undefined,
};

const RANDOM_BYTES = 16;
/**
 * One call of the generator costs as much for 4 KiB as for 16 bytes, and asking for each id was an
 * eighth of `log()`'s CPU time.
 */
const pool = Buffer.alloc(256 * RANDOM_BYTES);
let poolAt = pool.length;

function nextRandom(): Buffer {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  poolAt += RANDOM_BYTES;
  return pool.subarray(poolAt - RANDOM_BYTES, poolAt);
}

/** Milliseconds since the epoch that a UUIDv7 holds; undefined for any other id. */
export function timeOfId(id: string): number | undefined {
  if (id === newest.id) return newest.time; // called twice for each logged entry
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)
    ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
    : undefined;
}

/** RFC 9562: 48 bits of a UUIDv7 are its time. */
const MAX_ID_TIME = 2 ** 48 - 1;

/**
 * The smallest id of a millisecond, cut off behind the time: it sorts before every id of that time.
 */
export function idAt(time: number): string {
  const hex = Math.min(Math.max(0, Math.floor(time)), MAX_ID_TIME)
    .toString(16)
    .padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}`;
}

const QUOTE = 0x22;
/** Every entry line of this library begins with it. */
const ENTRY_PREFIX = Buffer.from('{"id":"');
/** The end of an entry line's id. */
export const ID_END: number = ENTRY_PREFIX.length + 36;

/** The id of an entry line of this library, without parsing it; undefined for any other line. */
export function idOfLine(line: Buffer): string | undefined {
  return line.length > ID_END &&
    line[ID_END] === QUOTE &&
    line.subarray(0, ENTRY_PREFIX.length).equals(ENTRY_PREFIX)
    ? line.toString("latin1", ENTRY_PREFIX.length, ID_END)
    : undefined;
}

/** Entries of one millisecond share their timestamp. */
let latest = { time: Number.NaN, text: "" };

/** The time of a UUIDv7 as an entry writes it: RFC 3339, UTC, milliseconds. */
export function timestampOf(id: string): string {
  const time = timeOfId(id) ?? Number.NaN;
  if (time !== latest.time) latest = { time, text: new Date(time).toISOString() };
  return latest.text;
}

/**
 * 96 random bits as 16 base64url characters: names one run of a writer; no two are expected to be
 * equal.
 */
export function newStream(): string {
  return randomBytes(12).toString("base64url");
}
