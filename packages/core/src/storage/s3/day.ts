// The objects of one day, told apart by their keys.
import type { S3Bucket } from "./bucket.ts";
import { boundsOf, keyAt, type LogKey, MAX_SPAN_MS, parseKey } from "./keys.ts";
import type { TimeRange } from "../storage.ts";

interface Placed {
  readonly key: string;
  readonly bytes: number;
}
type OfKind<K extends LogKey["kind"]> = Placed & Extract<LogKey, { kind: K }>;
export type DirectObject = OfKind<"direct">;
export type ForeignObject = OfKind<"foreign">;
export type ControlObject = OfKind<"control">;
export type ShippedObject = OfKind<"shipped">;

/** Each in the order of keys. */
export interface DayListing {
  readonly day: string;
  readonly direct: readonly DirectObject[];
  readonly foreign: readonly ForeignObject[];
  readonly control: readonly ControlObject[];
  readonly shipped: readonly ShippedObject[];
}

/** Lists what a day holds. Direct objects that cannot hold an entry of `range` may be left out. */
export async function listDay(
  bucket: S3Bucket,
  day: string,
  range: TimeRange = {},
): Promise<DayListing> {
  const direct: DirectObject[] = [];
  const foreign: ForeignObject[] = [];
  const control: ControlObject[] = [];
  const shipped: ShippedObject[] = [];
  for (const { after, end } of windows(day, range)) {
    for await (const { key, bytes } of keysBetween(bucket, day, after, end)) {
      const parsed = parseKey(key);
      if (parsed?.kind === "direct") direct.push({ key, bytes, ...parsed });
      else if (parsed?.kind === "foreign") foreign.push({ key, bytes, ...parsed });
      else if (parsed?.kind === "control") control.push({ key, bytes, ...parsed });
      else if (parsed?.kind === "shipped") shipped.push({ key, bytes, ...parsed });
    }
  }
  return { day, direct, foreign, control, shipped };
}

interface KeyWindow {
  readonly after: string | undefined;
  /** Keys from here on are not wanted. */
  readonly end: string | undefined;
}

/**
 * The parts of a day's keys to list. Direct objects sort by their time, all between the day's first and last id, so a
 * range needs few of them. Everything else has no time in its key: it lies before and after them. (A random id of the
 * Python original lies between them once in three million times, and is then found where the whole day is asked for.)
 */
function windows(day: string, { from = -Infinity, to = Infinity }: TimeRange): KeyWindow[] {
  const bounds = boundsOf(day);
  const first = Math.max(bounds.from, from - MAX_SPAN_MS);
  const last = Math.min(bounds.to, to);
  if (first === bounds.from && last === bounds.to) return [{ after: undefined, end: undefined }];
  return [
    { after: undefined, end: keyAt(day, bounds.from) },
    ...(first <= last ? [{ after: keyAt(day, first), end: keyAt(day, last + 1) }] : []),
    { after: keyAt(day, bounds.to + 1), end: undefined },
  ];
}

async function* keysBetween(
  bucket: S3Bucket,
  day: string,
  after: string | undefined,
  end: string | undefined,
): AsyncGenerator<Placed, void, void> {
  for await (const page of bucket.list({
    prefix: `${day}/`,
    ...(after !== undefined && { after }),
  })) {
    for (const object of page) {
      if (end !== undefined && object.key >= end) return;
      yield object;
    }
  }
}
