// Segments that a directory shipped: files in a bucket, searched as files are.
import { recordsCallAgain } from "../../entry.ts";
import { timeOfId } from "../../id.ts";
import { type KeyedLine, readSegmentPages, seekId } from "../file-read.ts";
import { idAt } from "../segment-search.ts";
import type { TimeRange } from "../storage.ts";
import type { Bucket } from "./bucket.ts";
import { mapConcurrently } from "./concurrency.ts";
import type { ShippedObject } from "./day.ts";
import { parseShippedMetadata, type ShippedMetadata } from "./metadata.ts";
import { RangedObject } from "./ranged-object.ts";

const HEADS_AHEAD = 16;
/** One step of a search: most of its reads are of neighbours of what was read before. */
const SEARCH_BLOCK_BYTES = 64 * 1024;
const PAGE_BLOCK_BYTES = 1024 * 1024;

/** The line of the entry with this id. Metadata tells which segments can hold it. */
export async function findShipped(
  bucket: Bucket,
  objects: readonly ShippedObject[],
  id: string,
): Promise<string | undefined> {
  const heads = await mapConcurrently(objects, HEADS_AHEAD, async (object) => ({
    object,
    about: await readAbout(bucket, object),
  }));
  for (const { object, about } of heads) {
    if (about && (id < about.firstId || id > about.lastId)) continue;
    const line = await seekId(ranged(bucket, object, SEARCH_BLOCK_BYTES), object.bytes, id);
    if (line !== undefined) return line;
  }
  return undefined;
}

/** Entry lines of the range. */
export async function* shippedPages(
  bucket: Bucket,
  object: ShippedObject,
  range: TimeRange,
  order: "oldest-first" | "newest-first",
): AsyncGenerator<readonly KeyedLine[], void, void> {
  if (range.from !== undefined || range.to !== undefined) {
    const about = await readAbout(bucket, object);
    if (about && isOutside(about, range)) return;
  }
  yield* readSegmentPages(ranged(bucket, object, PAGE_BLOCK_BYTES), object.bytes, false, range, order);
}

/** How many calls of the range a segment holds; one within the range is not read. */
export async function countShipped(bucket: Bucket, object: ShippedObject, range: TimeRange): Promise<number> {
  const about = await readAbout(bucket, object);
  if (about && isOutside(about, range)) return 0;
  if (about && isInside(about, range)) return about.entries - about.linked;
  let count = 0;
  const handle = ranged(bucket, object, PAGE_BLOCK_BYTES);
  for await (const page of readSegmentPages(handle, object.bytes, false, range, "oldest-first")) {
    count += page.filter(({ line }) => !recordsCallAgain(line)).length;
  }
  return count;
}

async function readAbout(bucket: Bucket, { key }: ShippedObject): Promise<ShippedMetadata | undefined> {
  return parseShippedMetadata((await bucket.head(key))?.metadata ?? {});
}

function ranged(bucket: Bucket, { key, bytes }: ShippedObject, blockBytes: number): RangedObject {
  return new RangedObject(bucket, key, bytes, blockBytes);
}

function isOutside({ firstId, lastId }: ShippedMetadata, { from, to }: TimeRange): boolean {
  return lastId === "" || (from !== undefined && lastId < idAt(from)) || (to !== undefined && firstId >= idAt(to + 1));
}

function isInside({ firstId, lastId }: ShippedMetadata, { from = -Infinity, to = Infinity }: TimeRange): boolean {
  return (timeOfId(firstId) ?? -Infinity) >= from && (timeOfId(lastId) ?? Infinity) <= to;
}
