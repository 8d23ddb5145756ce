// Objects by what they say that they belong to: a stream's segment of one day, a directory, or nothing.
import { fileOfOrigin } from "../../format/origin.ts";
import type { S3Bucket } from "./bucket.ts";
import { mapInOrder } from "./concurrency.ts";
import type { DayListing } from "./day.ts";
import type { LostObject } from "./lost-objects.ts";
import { checkpointOf, parseCommitMetadata, parseShippedMetadata } from "./metadata.ts";
import type { ObjectHead } from "./objects.ts";
import type { CommitObject } from "./source-direct.ts";
import type { ShippedFile } from "./source-shipped.ts";

const HEADS_AHEAD = 32;

export class FoundObjects {
  /** By the segment that they make up. */
  readonly commits: Map<string, CommitObject[]> = new Map();
  /** By the directory that they come from. */
  readonly shipped: Map<string, ShippedFile[]> = new Map();
  /** Nothing seals them. */
  readonly foreign: { readonly key: string; readonly bytes: number }[] = [];

  /** Asks for the metadata of a day's objects. */
  async addDay(bucket: S3Bucket, { direct, control, shipped, foreign }: DayListing): Promise<void> {
    for (const { key, bytes } of foreign) this.foreign.push({ key, bytes });
    const keys = [...direct, ...control, ...shipped].map(({ key }) => key);
    const heads = mapInOrder(keys, HEADS_AHEAD, async (key) => ({
      key,
      head: await bucket.head(key),
    }));
    for await (const { key, head } of heads) if (head) this.add(key, head);
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
