// Metadata of a bucket's objects, kept between the listings of one process.
import type { ListedObject, ObjectHead, S3Bucket } from "./bucket.ts";

/** About 50 MB. The metadata of further objects is asked for each time. */
const MAX_HEADS = 50_000;

interface KnownHead {
  readonly stamp: string;
  readonly head: ObjectHead;
}

/**
 * Spares a reader that lists a bucket again and again a request for each object. An object that was
 * written again has another stamp in the listing, and is asked for again.
 */
export class KnownHeads {
  readonly #days = new Map<string, Map<string, KnownHead>>();
  #size = 0;

  /** The metadata of a listed object; undefined when it is gone. */
  async head(bucket: S3Bucket, { key, stamp }: ListedObject): Promise<ObjectHead | undefined> {
    const day = dayOf(key);
    const known = this.#days.get(day)?.get(key);
    if (known?.stamp === stamp) return known.head;
    const head = await bucket.head(key);
    if (head === undefined || (known === undefined && this.#size >= MAX_HEADS)) return head;
    if (known === undefined) this.#size += 1;
    const heads = this.#days.get(day) ?? new Map<string, KnownHead>();
    this.#days.set(day, heads.set(key, { stamp, head }));
    return head;
  }

  /** Forgets the objects of other days: they are gone. */
  keep(days: readonly string[]): void {
    for (const [day, heads] of this.#days) {
      if (days.includes(day)) continue;
      this.#size -= heads.size;
      this.#days.delete(day);
    }
  }
}

function dayOf(key: string): string {
  return key.slice(0, "YYYY-MM-DD".length);
}
