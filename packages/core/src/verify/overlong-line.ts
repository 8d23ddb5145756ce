// Recognises a line that no writer can have written, so that a planted file of any size, sparse or
// not, is not read to its end.
import { LF, MAX_LINE_BYTES } from "../format/lines.ts";

/** Follows a file's chunks. */
export class OverlongLine {
  /** The longest first line of a segment, and the longest line that does not look like JSON. */
  static readonly MAX_FIRST_BYTES: number = 16 * 2 ** 20;
  /** Bytes since the last line feed, and the first of them. */
  #pending = 0;
  #begins: number | undefined;

  /**
   * Whether the current bytes cannot be a line. They are longer than 64 MiB; or longer than 16 MiB,
   * with a beginning or a byte that no JSON object has. Holes of sparse files read as zero bytes.
   */
  isReachedBy(chunk: Buffer): boolean {
    const at = chunk.lastIndexOf(LF);
    if (at !== -1) this.#pending = 0;
    if (this.#pending === 0) this.#begins = chunk[at + 1];
    this.#pending += chunk.byteLength - (at + 1);
    if (this.#pending <= OverlongLine.MAX_FIRST_BYTES) return false;
    return (
      this.#begins !== BRACE ||
      this.#pending > MAX_LINE_BYTES - chunk.byteLength ||
      chunk.includes(0)
    );
  }
}

const BRACE = 0x7b;
