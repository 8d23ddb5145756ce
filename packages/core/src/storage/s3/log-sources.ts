// A bucket as the verifier sees it: one log of everything that was written directly, and one for each directory that
// shipped its segments.
import type { LogSource } from "../../integrity/log-source.ts";
import { Bucket } from "./bucket.ts";
import type { ObjectHead } from "./objects.ts";
import { mapInOrder } from "./concurrency.ts";
import { type DayListing, listDay } from "./day.ts";
import { type LostObject, lostObjects } from "./lost-objects.ts";
import { isDay } from "./keys.ts";
import { checkpointOf, parseCommitMetadata, parseShippedMetadata } from "./metadata.ts";
import { parseLocation, resolveConnection, type S3Connection } from "./options.ts";
import { fileOfOrigin } from "../../integrity/origin.ts";
import { type CommitObject, directSource } from "./source-direct.ts";
import { type ShippedFile, shippedSource } from "./source-shipped.ts";

const DAYS_AHEAD = 4;
const HEADS_AHEAD = 32;

/**
 * The logs at `s3://bucket/prefix`, the direct one first: it holds the records of removals. Lists everything, and asks
 * for the metadata of every object: which tree it belongs to, and where.
 */
export async function bucketSources(location: string, connection: S3Connection, now: Date): Promise<LogSource[]> {
  const { bucket: name, prefix } = parseLocation(location);
  const bucket = new Bucket(name, prefix, resolveConnection(connection));
  const days = (await Array.fromAsync(bucket.folders())).filter(isDay).toSorted();
  const found = new Found();
  for await (const listing of mapInOrder(days, DAYS_AHEAD, (day) => listDay(bucket, day))) {
    for (const { key, bytes } of listing.foreign) found.foreign.push({ key, bytes });
    const heads = mapInOrder(sealedKeys(listing), HEADS_AHEAD, async (key) => ({ key, head: await bucket.head(key) }));
    for await (const { key, head } of heads) if (head) found.add(key, head);
  }
  const lost = (await bucket.isVersioned()) === true ? await lostObjects(bucket) : [];
  for (const object of lost) found.addLost(object);
  const shipped = [...found.shipped].map(([directory, files]) => shippedSource(bucket, directory, files, now));
  const streams = new Set([...found.shipped.values()].flat().map(({ stream }) => stream));
  return [directSource(bucket, found, streams), ...shipped];
}

function sealedKeys({ direct, control, shipped }: DayListing): string[] {
  return [...direct, ...control, ...shipped].map(({ key }) => key);
}

/** Objects by what they belong to. */
class Found {
  /** By the segment that they make up. */
  readonly commits: Map<string, CommitObject[]> = new Map();
  /** By the directory that they come from. */
  readonly shipped: Map<string, ShippedFile[]> = new Map();
  /** Nothing seals them. */
  readonly foreign: { readonly key: string; readonly bytes: number }[] = [];

  add(key: string, { bytes, metadata }: ObjectHead, lost?: LostObject): void {
    const commit = parseCommitMetadata(metadata);
    const checkpoint = commit && checkpointOf(commit);
    const file = parseShippedMetadata(metadata);
    if (commit && checkpoint) {
      const { leaf, previous } = commit;
      const object = { key, bytes, leaf, size: checkpoint.size, previous, ...(lost && { lost }) };
      append(this.commits, fileOfOrigin(checkpoint.origin), object);
    } else if (file) {
      const [, stream = "", name = key] = /([^/]+)\/([^/]+)$/.exec(key) ?? [];
      append(this.shipped, file.directory, { key, bytes, stream, file: name, about: file, ...(lost && { lost }) });
    } else if (!lost) {
      this.foreign.push({ key, bytes });
    }
  }

  /** A deleted or overwritten object that the bucket still has the first version of. */
  addLost(lost: LostObject): void {
    if (lost.isDeleted && lost.head) this.add(lost.key, lost.head, lost);
    for (const objects of this.commits.values()) {
      const object = objects.find(({ key }) => key === lost.key);
      if (object && !lost.isDeleted) object.lost = lost;
    }
  }
}

function append<T>(map: Map<string, T[]>, key: string, item: T): void {
  const known = map.get(key);
  if (known) known.push(item);
  else map.set(key, [item]);
}
