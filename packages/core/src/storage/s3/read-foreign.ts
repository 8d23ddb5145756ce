// Entries under ids without a time: the Python original's, in the same bucket, one object each.
import { lineToEntry } from "../../format/entry-line.ts";
import type { KeyedLine } from "../merge.ts";
import { idAt } from "../../format/id.ts";
import type { TimeRange } from "../storage.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapInOrder } from "./request.ts";
import type { ForeignObject } from "./listing.ts";

const REQUESTS_AHEAD = 32;
const PAGE_LINES = 1000;
/** Lines beyond this are not held in memory but read again when their turn comes. */
const MAX_HELD_BYTES = 64 * 2 ** 20;

/** An entry whose line is held, or is to be fetched again. */
interface Known {
  readonly key: string;
  readonly object: ForeignObject;
  readonly line: string | undefined;
}

/** The line of the entry with this id, on any of the days. */
export async function findForeign(
  bucket: S3Bucket,
  days: readonly string[],
  id: string,
): Promise<string | undefined> {
  if (id.includes("/")) return undefined; // not a name of an object
  const reads = mapInOrder(days.toReversed(), REQUESTS_AHEAD, (day) =>
    bucket.get(`${day}/${id}.json`),
  );
  for await (const found of reads) {
    const line = found && foreignLine(found.body);
    if (line !== undefined && lineToEntry(line)?.id === id) return line;
  }
  return undefined;
}

/**
 * Entry lines of the range. Only the entries themselves hold their time, so a day is read as a
 * whole before its first page.
 */
export async function* foreignPages(
  bucket: S3Bucket,
  objects: readonly ForeignObject[],
  range: TimeRange,
  order: "oldest-first" | "newest-first",
): AsyncGenerator<readonly KeyedLine[], void, void> {
  const known: Known[] = [];
  let held = 0;
  for await (const { object, entry } of mapInOrder(objects, REQUESTS_AHEAD, (each) =>
    readForeign(bucket, each),
  )) {
    if (!entry || !isIn(entry.time, range)) continue;
    held += entry.line.length;
    known.push({ key: entry.key, object, line: held <= MAX_HELD_BYTES ? entry.line : undefined });
  }
  known.sort((a, b) => (a.key < b.key ? -1 : 1));
  if (order === "newest-first") known.reverse();
  for (let at = 0; at < known.length; at += PAGE_LINES) {
    const reads = mapInOrder(
      known.slice(at, at + PAGE_LINES),
      REQUESTS_AHEAD,
      async ({ key, object, line }) => ({
        key,
        line: line ?? (await readForeign(bucket, object)).entry?.line,
      }),
    );
    const page = await Array.fromAsync(reads);
    yield page.flatMap(({ key, line }) => (line === undefined ? [] : [{ key, line }]));
  }
}

/** Number of entries in the range. An open range is counted by names alone. */
export async function countForeign(
  bucket: S3Bucket,
  objects: readonly ForeignObject[],
  range: TimeRange,
): Promise<number> {
  if (range.from === undefined && range.to === undefined) return objects.length;
  let count = 0;
  for await (const { entry } of mapInOrder(objects, REQUESTS_AHEAD, (each) =>
    readForeign(bucket, each),
  )) {
    if (entry && isIn(entry.time, range)) count += 1;
  }
  return count;
}

interface ForeignEntry {
  readonly time: number;
  readonly key: string;
  readonly line: string;
}

async function readForeign(
  bucket: S3Bucket,
  object: ForeignObject,
): Promise<{ object: ForeignObject; entry: ForeignEntry | undefined }> {
  const found = await bucket.get(object.key);
  const line = found && foreignLine(found.body);
  const entry = line === undefined ? undefined : lineToEntry(line);
  const time = entry ? Date.parse(entry.timestamp) : Number.NaN;
  if (line === undefined || !entry || Number.isNaN(time)) return { object, entry: undefined };
  return { object, entry: { time, key: `${idAt(time)}-${entry.id}`, line } };
}

/** The object on one line, however it was printed; undefined when it is not JSON. */
export function foreignLine(body: Buffer): string | undefined {
  const text = body.toString();
  if (!text.trim().includes("\n")) return text.trim();
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return undefined; // not an entry: the verifier reports it
  }
}

function isIn(time: number, { from = -Infinity, to = Infinity }: TimeRange): boolean {
  return time >= from && time <= to;
}
