// Splits raw bytes into lines on the byte 0x0A alone: a reader that also splits on U+2028 lets a
// prompt break the log.

import { AuditError } from "../errors.ts";

/** Ends each line. */
export const LF = 0x0a;

/**
 * The longest string of V8, so no writer makes a longer line. A planted file must not fill the
 * memory.
 */
const MAX_LINE_BYTES = 2 ** 29;

/**
 * Whole lines, each ended by LF, in `bytes[start, end)`. `start` is at least 1, and the byte before
 * each line may be overwritten for a moment (`leafHashInPlace`). Valid until the next chunk is
 * pushed.
 */
export interface LineBlock {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Offset of `start` in the file. */
  readonly offset: number;
}

/** One line of a block: `bytes[start, end)` without its LF. */
export type LineHandler = (bytes: Buffer, start: number, end: number) => void;

/**
 * Takes chunks, hands out blocks of whole lines. A byte is copied only when its line lies in two
 * chunks or comes first in one, and then once or twice whatever the line's length; memory is
 * bounded by the longest line.
 */
export class LineSplitter {
  /** The beginning of a line whose end has not come yet. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #offset = 0;

  /** Blocks that this chunk completes: none, one or two. */
  push(chunk: Buffer): LineBlock[] {
    const first = chunk.indexOf(LF);
    if (first === -1) {
      this.#keep(chunk);
      return [];
    }
    const head = Buffer.concat([Buffer.alloc(1), ...this.#pieces, chunk.subarray(0, first + 1)]);
    const blocks: LineBlock[] = [
      { bytes: head, start: 1, end: head.byteLength, offset: this.#offset },
    ];
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#offset += head.byteLength - 1;
    const end = chunk.lastIndexOf(LF) + 1;
    if (end > first + 1) {
      blocks.push({ bytes: chunk, start: first + 1, end, offset: this.#offset });
      this.#offset += end - (first + 1);
    }
    this.#keep(chunk.subarray(end));
    return blocks;
  }

  /** The bytes after the last LF. */
  rest(): Buffer {
    return Buffer.concat(this.#pieces, this.#pieceBytes);
  }

  /**
   * Copies, because the reader reuses its buffer. Throws `AUDIT_READ_FAILED` for a line that is too
   * long.
   */
  #keep(bytes: Buffer): void {
    if (bytes.byteLength === 0) return;
    if (this.#pieceBytes + bytes.byteLength > MAX_LINE_BYTES) {
      throw new AuditError(
        "AUDIT_READ_FAILED",
        `a line at byte ${this.#offset} is longer than any line can be`,
      );
    }
    this.#pieces.push(Buffer.from(bytes));
    this.#pieceBytes += bytes.byteLength;
  }
}

/** Calls `handle` for each line of a block. */
export function eachLine({ bytes, start, end }: LineBlock, handle: LineHandler): void {
  for (let at = start; at < end;) {
    const lineEnd = bytes.indexOf(LF, at);
    handle(bytes, at, lineEnd);
    at = lineEnd + 1;
  }
}

/** The complete lines in some bytes, without their line feeds. */
export function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(LF, at);
    if (end === -1) break;
    lines.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return lines;
}
