// Reading a bucket: one entry by its id, a time range in pages, a count.
import { timeOfId } from "../../format/id.ts";
import { mergePages } from "../merge.ts";
import type { OnProgress, TimeRange } from "../storage.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapInOrder } from "./request.ts";
import { type DayListing, type DirectObject, listDay } from "./listing.ts";
import { countDirect, directPages, linesOfObject } from "./read-direct.ts";
import { countForeign, findForeign, foreignPages } from "./read-foreign.ts";
import { countShipped, findShipped, shippedSources } from "./read-shipped.ts";
import { boundsOf, dayOf, isDay, keyAt, MAX_SPAN_MS, parseKey } from "./keys.ts";
import { DAY_MS } from "../../time.ts";

/**
 * Ranges up to this number of days are read day by day; for longer ones the existing days are
 * listed first.
 */
const FEW_DAYS = 8;
/** Days whose listings are fetched ahead. */
const DAYS_AHEAD = 4;

type Order = "oldest-first" | "newest-first";

/**
 * The line of the entry with this id. Its time gives the day and, to a second, the key: usually one
 * listing and one read. Ids of the Python original hold no time: one request for each existing day.
 */
export async function findEntry(bucket: S3Bucket, id: string): Promise<string | undefined> {
  const time = timeOfId(id);
  if (time === undefined) return findForeign(bucket, await allDays(bucket), id);
  for (const object of await candidates(bucket, id, time)) {
    const found = await bucket.get(object.key);
    const line =
      found && linesOfObject(found.body, object.isSingle).find((keyed) => keyed.key === id);
    if (line) return line.line;
  }
  // A segment of a directory: its commit at midnight may have put the entry into the next day's
  // file.
  for (const day of [dayOf(time), dayOf(time + DAY_MS)]) {
    const { shipped, foreign } = await listDay(bucket, day, { from: 1, to: 0 });
    const line =
      (await findShipped(bucket, shipped, id)) ??
      (await findForeign(bucket, foreign.length ? [day] : [], id));
    if (line !== undefined) return line;
  }
  return undefined;
}

/**
 * Direct objects that may hold the entry, the likeliest first: those that begin with the entry or
 * shortly before it.
 */
async function candidates(bucket: S3Bucket, id: string, time: number): Promise<DirectObject[]> {
  const day = dayOf(time);
  const after = keyAt(day, Math.max(time - MAX_SPAN_MS, boundsOf(day).from));
  const found: DirectObject[] = [];
  for await (const page of bucket.list({ prefix: `${day}/`, after })) {
    for (const object of page) {
      const parsed = parseKey(object.key);
      if (parsed?.kind === "direct" && parsed.id > id) return nearestFirst(found, id);
      if (parsed?.kind === "direct" && (!parsed.isSingle || parsed.id === id))
        found.push({ ...object, ...parsed });
    }
  }
  return nearestFirst(found, id);
}

function nearestFirst(objects: readonly DirectObject[], id: string): DirectObject[] {
  const exact = objects.filter((object) => object.id === id);
  return [...exact, ...objects.filter((object) => object.id !== id).toReversed()];
}

/** Entry lines of a time range in the order of time, with a few objects in memory at a time. */
export async function* readPages(
  bucket: S3Bucket,
  range: TimeRange,
  order: Order,
  onProgress: OnProgress = () => undefined,
): AsyncGenerator<readonly string[]> {
  const days = await daysOf(bucket, range);
  let daysRead = 0;
  for await (const listing of listingsOf(bucket, days, range, order)) {
    const bytesOfDay = [...listing.direct, ...listing.foreign, ...listing.shipped].reduce(
      (sum, { bytes }) => sum + bytes,
      1,
    );
    let bytesRead = 0;
    const sources = [
      directPages(bucket, listing.direct, range, order),
      foreignPages(bucket, listing.foreign, range, order),
      ...(await shippedSources(bucket, listing.shipped, range, order)),
    ];
    for await (const page of mergePages(sources, order)) {
      if (page.length > 0) yield page.map(({ line }) => line);
      bytesRead += page.reduce((sum, { line }) => sum + line.length, 0);
      // The size of the other days is known once they are listed: until then all count alike.
      onProgress((daysRead + Math.min(1, bytesRead / bytesOfDay)) / days.length);
    }
    daysRead += 1;
    onProgress(daysRead / days.length);
  }
}

/**
 * Number of calls in a time range, each once; objects give theirs in metadata where they lie within
 * the range.
 */
export async function countEntries(bucket: S3Bucket, range: TimeRange): Promise<number> {
  let count = 0;
  const days = await daysOf(bucket, range);
  for await (const { day, direct, foreign, shipped } of listingsOf(
    bucket,
    days,
    range,
    "oldest-first",
  )) {
    const counts = [
      countDirect(bucket, direct, range),
      countForeign(bucket, foreign, isWithin(day, range) ? {} : range),
      countShipped(bucket, shipped, range),
    ];
    for (const part of await Promise.all(counts)) count += part;
  }
  return count;
}

async function* listingsOf(
  bucket: S3Bucket,
  days: readonly string[],
  range: TimeRange,
  order: Order,
): AsyncGenerator<DayListing, void, void> {
  yield* mapInOrder(order === "oldest-first" ? days : days.toReversed(), DAYS_AHEAD, (day) =>
    listDay(bucket, day, range),
  );
}

/**
 * Days that may hold entries of the range, and one more on each side for foreign clocks and
 * midnight.
 */
async function daysOf(
  bucket: S3Bucket,
  { from = -Infinity, to = Infinity }: TimeRange,
): Promise<string[]> {
  const [first, last] = [dayOf(from - DAY_MS), dayOf(to + DAY_MS)];
  if (to - from > FEW_DAYS * DAY_MS)
    return (await allDays(bucket)).filter((day) => day >= first && day <= last);
  const days: string[] = [];
  for (let time = from - DAY_MS; dayOf(time) <= last && days.at(-1) !== dayOf(time); time += DAY_MS)
    days.push(dayOf(time));
  return days;
}

async function allDays(bucket: S3Bucket): Promise<string[]> {
  return (await Array.fromAsync(bucket.folders())).filter(isDay).toSorted();
}

function isWithin(day: string, { from = -Infinity, to = Infinity }: TimeRange): boolean {
  const bounds = boundsOf(day);
  return from <= bounds.from && to >= bounds.to;
}
