// Splits raw bytes into lines on the byte 0x0A alone: a reader that also splits on U+2028 lets a
// prompt break the log.

/** Ends each line. */
export const LF = 0x0a;

/**
 * No writer makes a longer line (64 MiB), and no reader keeps more of one. A planted file must not
 * fill the memory.
 */
export const MAX_LINE_BYTES: number = 64 * 2 ** 20;

/** Whether a string is longer than a line may be. A UTF-16 unit takes at most three bytes. */
export function isTooLong(line: string): boolean {
  return line.length > MAX_LINE_BYTES / 3 && Buffer.byteLength(line) > MAX_LINE_BYTES;
}

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
 * chunks or comes first in one, and then once or twice whatever the line's length. Memory is
 * bounded: bytes from a line that is too long onwards cannot be a log's lines and are dropped.
 */
export class LineSplitter {
  /** The beginning of a line whose end has not come yet. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #offset = 0;
  #isCut = false;

  /** Whether a line was too long: it and all later bytes were dropped. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Blocks that this chunk completes: none, one or two. */
  push(chunk: Buffer): LineBlock[] {
    if (this.#isCut) return [];
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

  /** Copies, because the reader reuses its buffer. */
  #keep(bytes: Buffer): void {
    if (bytes.byteLength === 0) return;
    this.#pieceBytes += bytes.byteLength;
    this.#isCut = this.#pieceBytes > MAX_LINE_BYTES;
    if (this.#isCut) [this.#pieces, this.#pieceBytes] = [[], 0];
    else this.#pieces.push(Buffer.from(bytes));
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
