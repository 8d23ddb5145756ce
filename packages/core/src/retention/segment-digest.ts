// Size, digest, entry count and ids of a segment, computed from its bytes: an archive stores them
// as metadata, and a verifier compares them.
import { createHash } from "node:crypto";
import { recordsCallAgain } from "../format/entry-line.ts";
import { eachLine, LineSplitter } from "../format/lines.ts";
import { idOfLine } from "../format/id.ts";
import { prefixOf } from "../format/control-line.ts";

const AGAIN = Buffer.from(prefixOf("again"));

/** Counts the entries among lines. */
export class EntryTally {
  entries = 0;
  /** Number of entries that record a call which another entry records too. */
  linked = 0;
  /** Ids of the first and the last entry; empty while there is none. */
  firstId = "";
  lastId = "";
  /** Whether a line announces entries that another segment may have too. */
  isSecondTry = false;

  /** Takes any line, without its line feed. */
  add(line: Buffer): void {
    const id = idOfLine(line);
    if (id === undefined) {
      this.isSecondTry ||= line.subarray(0, AGAIN.length).equals(AGAIN);
      return;
    }
    this.entries += 1;
    if (line.includes('"same_call_as":') && recordsCallAgain(line.toString())) this.linked += 1;
    this.firstId ||= id;
    this.lastId = id;
  }
}

/**
 * Size, SHA-256 and entries of bytes passed on to another reader: complete after the last chunk.
 */
export class SegmentDigest extends EntryTally {
  bytes = 0;
  readonly #hash = createHash("sha256");
  #sha256: string | undefined;
  readonly #lines = new LineSplitter();

  /** Passes the chunks on after digesting each: the next reader may write into them. */
  async *through(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of chunks) {
      this.bytes += chunk.length;
      this.#hash.update(chunk);
      for (const block of this.#lines.push(chunk)) {
        eachLine(block, (bytes, start, end) => this.add(bytes.subarray(start, end)));
      }
      yield chunk;
    }
  }

  /** SHA-256 of all bytes, 64 hex digits. Call it after the last chunk. */
  sha256(): string {
    this.#sha256 ??= this.#hash.digest("hex");
    return this.#sha256;
  }
}
