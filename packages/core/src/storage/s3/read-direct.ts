// Objects that were written directly: their entries in the order of time, although several writers
// overlap.
import { lineToEntry, recordsCallAgain } from "../../format/entry-line.ts";
import { idAt, idOfLine, timeOfId } from "../../format/id.ts";
import type { KeyedLine } from "../merge.ts";
import type { TimeRange } from "../storage.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapInOrder } from "./request.ts";
import type { DirectObject } from "./listing.ts";
import { MAX_SPAN_MS } from "./keys.ts";
import { parseCommitMetadata } from "./metadata.ts";
import { LF } from "../../format/lines.ts";

/** Objects that are fetched ahead: each has up to a commit's bytes. */
const OBJECTS_AHEAD = 8;
/** Requests without bodies. */
const HEADS_AHEAD = 32;

/**
 * Entry lines of an object, each with its id as key. `isSingle`: the whole body is one entry, on
 * however many lines.
 */
export function linesOfObject(body: Buffer, isSingle: boolean): KeyedLine[] {
  if (isSingle) return keyedLine(body);
  const lines: KeyedLine[] = [];
  for (let at = 0; at < body.length;) {
    const lineFeed = body.indexOf(LF, at);
    const end = lineFeed === -1 ? body.length : lineFeed;
    lines.push(...keyedLine(body.subarray(at, end)));
    at = end + 1;
  }
  return lines;
}

function keyedLine(bytes: Buffer): KeyedLine[] {
  const id = idOfLine(bytes);
  if (id !== undefined) return [{ key: id, line: bytes.toString() }];
  const line = bytes.toString();
  const entry = lineToEntry(line); // under a name of this library, in another form
  return entry ? [{ key: entry.id, line }] : [];
}

/**
 * Entry lines of the range. Objects of all writers overlap by at most `MAX_SPAN_MS`: older lines
 * can be returned.
 */
export async function* directPages(
  bucket: S3Bucket,
  objects: readonly DirectObject[],
  { from, to }: TimeRange,
  order: "oldest-first" | "newest-first",
): AsyncGenerator<readonly KeyedLine[], void, void> {
  const first = from === undefined ? "" : idAt(from);
  const end = to === undefined ? "g" : idAt(to + 1); // no hexadecimal digit sorts behind
  const inOrder = order === "oldest-first" ? objects : objects.toReversed();
  const compare = order === "oldest-first" ? ascending : descending;
  let held: KeyedLine[] = [];
  const fetched = mapInOrder(inOrder, OBJECTS_AHEAD, async (object) => ({
    object,
    found: await bucket.get(object.key),
  }));
  for await (const { object, found } of fetched) {
    const settled = (key: string): boolean =>
      order === "oldest-first"
        ? key < object.id
        : key > idAt((timeOfId(object.id) ?? 0) + MAX_SPAN_MS + 1);
    const page = held.filter(({ key }) => settled(key));
    if (page.length > 0) {
      held = held.filter(({ key }) => !settled(key));
      yield page;
    }
    // Gone since it was listed: retention may remove a day at any time.
    const lines = found ? linesOfObject(found.body, object.isSingle) : [];
    held.push(...lines.filter(({ key }) => key >= first && key < end));
    held.sort(compare);
  }
  if (held.length > 0) yield held;
}

function ascending(a: KeyedLine, b: KeyedLine): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function descending(a: KeyedLine, b: KeyedLine): number {
  return ascending(b, a);
}

/** Number of calls of the range in the objects. An object within it is not read. */
export async function countDirect(
  bucket: S3Bucket,
  objects: readonly DirectObject[],
  range: TimeRange,
): Promise<number> {
  let count = 0;
  for await (const part of mapInOrder(objects, HEADS_AHEAD, (object) =>
    countObject(bucket, object, range),
  ))
    count += part;
  return count;
}

async function countObject(
  bucket: S3Bucket,
  { key, id, isSingle }: DirectObject,
  range: TimeRange,
): Promise<number> {
  const { from = -Infinity, to = Infinity } = range;
  const isIn = (entryId: string): boolean => {
    const time = timeOfId(entryId) ?? Number.NaN;
    return time >= from && time <= to;
  };
  if (isSingle) return isIn(id) ? 1 : 0; // an entry that records a call once more is never stored so
  const commit = parseCommitMetadata((await bucket.head(key))?.metadata ?? {});
  if (commit && isIn(id) && isIn(commit.lastId)) return commit.entries - commit.linked;
  const found = await bucket.get(key);
  const lines = found ? linesOfObject(found.body, isSingle) : [];
  return lines.filter((line) => isIn(line.key) && !recordsCallAgain(line.line)).length;
}
