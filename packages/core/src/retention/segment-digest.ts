// What is said of a segment beside its bytes, computed from its bytes: an archive is told it, and a verifier compares it.
import { createHash } from "node:crypto";
import { recordsCallAgain } from "../format/entry-line.ts";
import { eachLine, LineSplitter } from "../format/lines.ts";
import { idOfLine } from "../format/id.ts";

/** Counts the entries among lines. */
export class EntryTally {
  entries = 0;
  /** How many of them record a call that another entry records too. */
  linked = 0;
  /** Ids of the first and the last entry; empty while there is none. */
  firstId = "";
  lastId = "";

  /** A line without its line feed, whatever it is. */
  add(line: Buffer): void {
    const id = idOfLine(line);
    if (id === undefined) return;
    this.entries += 1;
    if (line.includes('"same_call_as":') && recordsCallAgain(line.toString())) this.linked += 1;
    this.firstId ||= id;
    this.lastId = id;
  }
}

/** Size, SHA-256 and entries of bytes that somebody else reads: complete once they are read through. */
export class SegmentDigest extends EntryTally {
  bytes = 0;
  readonly #sha256 = createHash("sha256");
  readonly #lines = new LineSplitter();

  /** Hands the chunks on, each after it was taken into account: whoever gets it may write into it. */
  async *through(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of chunks) {
      this.bytes += chunk.length;
      this.#sha256.update(chunk);
      for (const block of this.#lines.push(chunk)) {
        eachLine(block, (bytes, start, end) => this.add(bytes.subarray(start, end)));
      }
      yield chunk;
    }
  }

  /** Of all bytes, 64 hex digits. To be asked for once, at the end. */
  sha256(): string {
    return this.#sha256.digest("hex");
  }
}
