// The objects of a day: told apart by their keys, grouped by their metadata, and those that were
// deleted or overwritten.
import { fileOfOrigin } from "../../format/origin.ts";
import type { TimeRange } from "../storage.ts";
import type { ListedObject, ObjectHead, ObjectVersion, S3Bucket } from "./bucket.ts";
import { KnownHeads } from "./known-heads.ts";
import { mapInOrder } from "./request.ts";
import { type LogKey, MAX_SPAN_MS, boundsOf, keyAt, parseKey } from "./keys.ts";
import {
  checkpointOf,
  parseCommitMetadata,
  parseShippedMetadata,
  type ShippedMetadata,
} from "./metadata.ts";

type OfKind<K extends LogKey["kind"]> = ListedObject & Extract<LogKey, { kind: K }>;
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

/**
 * Lists the objects of a day. Direct objects that cannot hold an entry of `range` may be left out.
 */
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
    for await (const object of keysBetween(bucket, day, after, end)) {
      const parsed = parseKey(object.key);
      if (parsed?.kind === "direct") direct.push({ ...object, ...parsed });
      else if (parsed?.kind === "foreign") foreign.push({ ...object, ...parsed });
      else if (parsed?.kind === "control") control.push({ ...object, ...parsed });
      else if (parsed?.kind === "shipped") shipped.push({ ...object, ...parsed });
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
 * The parts of a day's keys to list. Direct objects sort by their time, all between the day's first
 * and last id, so a range needs few of them. Everything else has no time in its key: it lies before
 * and after them. (A random id of the Python original lies between them once in three million
 * times, and is then found where the whole day is asked for.)
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
): AsyncGenerator<ListedObject, void, void> {
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

/** An object as its metadata describes it; its bytes are checked when they are read. */
export interface CommitObject {
  readonly key: string;
  readonly bytes: number;
  /** Index of its first leaf. */
  readonly leaf: number;
  /** Leaves of the segment after it. */
  readonly size: number;
  readonly previous: string | undefined;
  /** Line of the segment's beginning, with its first object. */
  readonly open: string | undefined;
  readonly lastId: string;
  lost?: LostObject;
}

/** A segment in the bucket. */
export interface ShippedFile {
  readonly key: string;
  readonly bytes: number;
  readonly stream: string;
  /** Its name in the directory. */
  readonly file: string;
  readonly about: ShippedMetadata;
  readonly lost?: LostObject;
}

const HEADS_AHEAD = 32;

export class FoundObjects {
  /** By the segment that they make up. */
  readonly commits: Map<string, CommitObject[]> = new Map();
  /** By the directory that they come from. */
  readonly shipped: Map<string, ShippedFile[]> = new Map();
  /** Objects without a seal. */
  foreign: { readonly key: string; readonly bytes: number }[] = [];
  /** Whether an answer named a version, so that the bucket keeps versions. */
  hasVersions = false;

  /** Asks for the metadata of a day's objects, as far as it is not known. */
  async addDay(
    bucket: S3Bucket,
    { direct, control, shipped, foreign }: DayListing,
    known: KnownHeads = new KnownHeads(),
  ): Promise<void> {
    for (const { key, bytes } of foreign) this.foreign.push({ key, bytes });
    const objects = [...direct, ...control, ...shipped];
    const heads = mapInOrder(objects, HEADS_AHEAD, async (object) => ({
      key: object.key,
      head: await known.head(bucket, object),
    }));
    for await (const { key, head } of heads) {
      if (!head) continue;
      this.hasVersions ||= head.versionId !== undefined && head.versionId !== "null";
      this.add(key, head);
    }
  }

  add(key: string, { bytes, metadata }: ObjectHead, lost?: LostObject): void {
    const commit = parseCommitMetadata(metadata);
    const checkpoint = commit && checkpointOf(commit);
    const file = parseShippedMetadata(metadata);
    if (commit && checkpoint) {
      const { leaf, previous, open, lastId } = commit;
      const object = {
        key,
        bytes,
        leaf,
        size: checkpoint.size,
        previous,
        open,
        lastId,
        ...(lost && { lost }),
      };
      append(this.commits, fileOfOrigin(checkpoint.origin), object);
    } else if (file) {
      const [, stream = "", name = key] = /([^/]+)\/([^/]+)$/.exec(key) ?? [];
      append(this.shipped, file.directory, {
        key,
        bytes,
        stream,
        file: name,
        about: file,
        ...(lost && { lost }),
      });
    } else if (!lost) {
      this.foreign.push({ key, bytes });
    }
  }

  /**
   * A deleted or overwritten object: the first version, which is what the log wrote, takes its
   * place.
   */
  addLost(lost: LostObject): void {
    for (const objects of [...this.commits.values(), ...this.shipped.values()]) {
      const at = objects.findIndex(({ key }) => key === lost.key);
      if (at !== -1) objects.splice(at, 1);
    }
    this.foreign = this.foreign.filter(({ key }) => key !== lost.key);
    this.add(lost.key, lost.head, lost);
  }
}

function append<T>(map: Map<string, T[]>, key: string, item: T): void {
  const known = map.get(key);
  if (known) known.push(item);
  else map.set(key, [item]);
}

/** An object that differs from the first one stored under its key. */
export interface LostObject {
  readonly key: string;
  /** Behind a delete marker; else overwritten. */
  readonly isDeleted: boolean;
  /** What is other than it was, where it was overwritten. */
  readonly changed: "bytes" | "metadata";
  /** Time, RFC 3339. */
  readonly modified: string;
  /** The first version, which is what the log wrote. */
  readonly versionId: string;
  /** Of the first version. */
  readonly head: ObjectHead;
}

/** Deleted and overwritten objects of the log below a prefix, in the order of keys. */
export async function lostObjects(bucket: S3Bucket, prefix: string): Promise<LostObject[]> {
  // Versions and delete markers of one key may come apart.
  const byKey = new Map<string, ObjectVersion[]>();
  for await (const version of bucket.versions(prefix)) {
    if (!parseKey(version.key)) continue;
    append(byKey, version.key, version);
  }
  const lost: LostObject[] = [];
  for (const versions of byKey.values()) {
    const object = await findLost(bucket, versions);
    if (object) lost.push(object);
  }
  return lost;
}

async function findLost(
  bucket: S3Bucket,
  versions: readonly ObjectVersion[],
): Promise<LostObject | undefined> {
  const newest = versions.find(({ isLatest }) => isLatest);
  const bodies = versions.filter((version) => !version.isDeleteMarker);
  // Newest first: of several that were stored in one second the last one is the oldest.
  const first = bodies.reduce<ObjectVersion | undefined>(
    (oldest, each) => (oldest && oldest.modified < each.modified ? oldest : each),
    undefined,
  );
  if (!newest || !first || newest.versionId === first.versionId) return undefined;
  const { key, modified, isDeleteMarker } = newest;
  const head = await bucket.head(key, first.versionId);
  if (head === undefined) return undefined; // removed since the listing
  const lost = { key, isDeleted: isDeleteMarker, modified, versionId: first.versionId, head };
  if (isDeleteMarker) return { ...lost, changed: "bytes" };
  // An ETag need not be a digest on every server.
  const isSame = newest.etag === first.etag || (await hasSameBytes(bucket, key, newest, first));
  if (!isSame) return { ...lost, changed: "bytes" };
  // The same bytes stored again changed nothing, unless they now belong to another segment.
  const now = await bucket.head(key, newest.versionId);
  return now && sealOf(now) !== sealOf(head) ? { ...lost, changed: "metadata" } : undefined;
}

/** The seal of an object: its checkpoint, and what comes before it. */
function sealOf({ metadata }: ObjectHead): string {
  return JSON.stringify([metadata["audit-stream"], metadata["audit-checkpoint"]]);
}

async function hasSameBytes(
  bucket: S3Bucket,
  key: string,
  ...versions: readonly ObjectVersion[]
): Promise<boolean> {
  const [a, b] = await Promise.all(
    versions.map(({ versionId }) => bucket.get(key, undefined, versionId)),
  );
  return a !== undefined && b !== undefined && a.body.equals(b.body);
}
