// Segments that a directory shipped: files in a bucket, searched as files are.
import { recordsCallAgain } from "../../format/entry-line.ts";
import { idAt, timeOfId } from "../../format/id.ts";
import { type KeyedLine, mergePages } from "../merge.ts";
import { readSegmentPages, seekId } from "../file/read.ts";
import type { TimeRange } from "../storage.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapConcurrently } from "./request.ts";
import type { ShippedObject } from "./listing.ts";
import { parseShippedMetadata, type ShippedMetadata } from "./metadata.ts";
import { RangedObject } from "./ranged-object.ts";

const HEADS_AHEAD = 16;
/** One step of a search: most of its reads are of neighbours of what was read before. */
const SEARCH_BLOCK_BYTES = 64 * 1024;
const PAGE_BLOCK_BYTES = 1024 * 1024;

/** The line of the entry with this id. Metadata shows the segments that can hold it. */
export async function findShipped(
  bucket: S3Bucket,
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

/** A segment and the ids it holds; without metadata of ours it may hold any. */
interface Span {
  readonly object: ShippedObject;
  readonly firstId: string;
  readonly lastId: string;
}

/**
 * Entry lines of the range as a few sources, each in order: segments that follow each other in time
 * share one, so that only segments that overlap in time are open at once, not all of a day.
 */
export async function shippedSources(
  bucket: S3Bucket,
  objects: readonly ShippedObject[],
  range: TimeRange,
  order: "oldest-first" | "newest-first",
): Promise<AsyncIterable<readonly KeyedLine[]>[]> {
  const spans = await mapConcurrently(objects, HEADS_AHEAD, async (object): Promise<Span[]> => {
    const about = await readAbout(bucket, object);
    if (!about) return [{ object, firstId: "", lastId: "g" }]; // no hexadecimal digit sorts behind
    return isOutside(about, range)
      ? []
      : [{ object, firstId: about.firstId, lastId: about.lastId }];
  });
  const chains: Span[][] = [];
  for (const span of spans.flat().toSorted((a, b) => (a.firstId < b.firstId ? -1 : 1))) {
    const chain = chains.find((candidate) => (candidate.at(-1)?.lastId ?? "") < span.firstId);
    if (chain) chain.push(span);
    else chains.push([span]);
  }
  return chains.map((chain) =>
    chainPages(bucket, order === "oldest-first" ? chain : chain.toReversed(), range, order),
  );
}

async function* chainPages(
  bucket: S3Bucket,
  chain: readonly Span[],
  range: TimeRange,
  order: "oldest-first" | "newest-first",
): AsyncGenerator<readonly KeyedLine[], void, void> {
  for (const { object } of chain) {
    yield* readSegmentPages(
      ranged(bucket, object, PAGE_BLOCK_BYTES),
      object.bytes,
      false,
      range,
      order,
    );
  }
}

/**
 * Number of calls of the range in the segments; a segment within the range is not read, unless one
 * of them was written again: an entry that two segments have counts once.
 */
export async function countShipped(
  bucket: S3Bucket,
  objects: readonly ShippedObject[],
  range: TimeRange,
): Promise<number> {
  const heads = await mapConcurrently(objects, HEADS_AHEAD, async (object) => ({
    object,
    about: await readAbout(bucket, object),
  }));
  if (heads.some(({ about }) => about?.isSecondTry === true)) {
    const sources = await shippedSources(bucket, objects, range, "oldest-first");
    let merged = 0;
    for await (const page of mergePages(sources, "oldest-first"))
      merged += page.filter(({ line }) => !recordsCallAgain(line)).length;
    return merged;
  }
  const counts = await mapConcurrently(heads, HEADS_AHEAD, ({ object, about }) =>
    countSegment(bucket, object, about, range),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function countSegment(
  bucket: S3Bucket,
  object: ShippedObject,
  about: ShippedMetadata | undefined,
  range: TimeRange,
): Promise<number> {
  if (about && isOutside(about, range)) return 0;
  if (about && isInside(about, range)) return about.entries - about.linked;
  let count = 0;
  const handle = ranged(bucket, object, PAGE_BLOCK_BYTES);
  for await (const page of readSegmentPages(handle, object.bytes, false, range, "oldest-first")) {
    count += page.filter(({ line }) => !recordsCallAgain(line)).length;
  }
  return count;
}

async function readAbout(
  bucket: S3Bucket,
  { key }: ShippedObject,
): Promise<ShippedMetadata | undefined> {
  return parseShippedMetadata((await bucket.head(key))?.metadata ?? {});
}

function ranged(bucket: S3Bucket, { key, bytes }: ShippedObject, blockBytes: number): RangedObject {
  return new RangedObject(bucket, key, bytes, blockBytes);
}

function isOutside({ firstId, lastId }: ShippedMetadata, { from, to }: TimeRange): boolean {
  return (
    lastId === "" ||
    (from !== undefined && lastId < idAt(from)) ||
    (to !== undefined && firstId >= idAt(to + 1))
  );
}

function isInside(
  { firstId, lastId }: ShippedMetadata,
  { from = -Infinity, to = Infinity }: TimeRange,
): boolean {
  return (timeOfId(firstId) ?? -Infinity) >= from && (timeOfId(lastId) ?? Infinity) <= to;
}
