// An object that is read at any offset, a block at a time.
import { RecentMap } from "../../bounded-map.ts";
import type { RandomAccess } from "../../retention/random-access.ts";
import type { Metadata, S3Bucket } from "./bucket.ts";

/** Remembers the two blocks read last: a page of lines often lies in both. */
const BLOCKS_KEPT = 2;

/** Reads ranges of an object in whole blocks of `blockBytes`, one request each. */
export class RangedObject implements RandomAccess {
  readonly #bucket: S3Bucket;
  readonly #key: string;
  readonly #size: number;
  readonly #blockBytes: number;
  readonly #blocks = new RecentMap<number, Buffer>(BLOCKS_KEPT);
  /** The object's own metadata; empty until a part of it was read. */
  metadata: Metadata = {};

  constructor(bucket: S3Bucket, key: string, size: number, blockBytes: number) {
    this.#bucket = bucket;
    this.#key = key;
    this.#size = size;
    this.#blockBytes = blockBytes;
  }

  async read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }> {
    const end = Math.min(position + length, this.#size);
    let at = position;
    while (at < end) {
      const number = Math.floor(at / this.#blockBytes);
      const block = await this.#block(number);
      const from = at - number * this.#blockBytes;
      const count = block.copy(
        buffer,
        offset + at - position,
        from,
        Math.min(block.length, from + end - at),
      );
      if (count === 0) break; // removed since the listing
      at += count;
    }
    return { bytesRead: Math.max(0, at - position) };
  }

  async #block(number: number): Promise<Buffer> {
    const known = this.#blocks.get(number);
    if (known) return known;
    const from = number * this.#blockBytes;
    const to = Math.min(from + this.#blockBytes, this.#size) - 1;
    const found = await this.#bucket.get(this.#key, { from, to });
    const block = found?.body ?? Buffer.alloc(0);
    this.metadata = found?.metadata ?? this.metadata;
    this.#blocks.set(number, block);
    return block;
  }
}
