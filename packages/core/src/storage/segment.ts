// Seals lines into a segment: the bytes of one file from its first line to its last. No I/O.
import { AuditInputError, AuditWriteError } from "../errors.ts";
import { LF } from "../format/lines.ts";
import {
  CHECKPOINT_PREFIX,
  formatControlLine,
  type SegmentRef,
  type SettledFiles,
} from "../format/control-line.ts";
import { HASH_BYTES, MerkleTree } from "../seal/merkle.ts";
import { formatCheckpoint, formatNote, formatSignatureLine } from "../seal/note.ts";
import { originOf, UNSIGNED_NAME } from "../format/origin.ts";
import type { Signer } from "../seal/signer.ts";

/** Ed25519, RFC 8032. */
const SIGNATURE_BYTES = 64;

/** The facts for a segment's first line. */
export interface SegmentOptions {
  /** File name without a directory. */
  readonly file: string;
  readonly stream: string;
  /** Place in the stream: 0 for the first segment, then one more each. */
  readonly seq: number;
  /** RFC 3339. */
  readonly created: string;
  /** Absent: checkpoints are not signed. */
  readonly signer?: Signer;
  /** The last durable checkpoint of this stream's previous segment. */
  readonly prev: SegmentRef | null;
  /** The last checkpoints of other streams' segments. */
  readonly seen: readonly SegmentRef[];
  /** Name and version of the library. */
  readonly sdk: string;
  /** Days after which the place itself removes objects. */
  readonly expires?: number;
  /** Files that no later writer needs to look at. */
  readonly settled?: readonly SettledFiles[];
}

/**
 * One segment in the making. Every call returns bytes that must be appended to the file in one
 * `write()`, in the order of the calls.
 *
 * A call assumes that its bytes reach the file. After a failed write the length in the file is
 * unknown: abandon the segment, and let the next one's `prev` be the `ref()` taken after the last
 * write that succeeded.
 */
export class Segment {
  readonly file: string;
  readonly stream: string;
  readonly #origin: string;
  readonly #signer: Signer | undefined;
  readonly #checkpointBytes: number;
  readonly #tree = new MerkleTree();
  /** The first line, until it was handed out. */
  #openLine: string | undefined;
  #root: string;
  #entries = 0;
  #linked = 0;
  #closed = false;

  constructor(options: SegmentOptions) {
    this.file = options.file;
    this.stream = options.stream;
    this.#signer = options.signer;
    this.#origin = originOf(options.signer?.name ?? UNSIGNED_NAME, options.stream, options.file);
    this.#checkpointBytes = Buffer.byteLength(this.#longestCheckpointLine());
    this.#root = this.#tree.root().toString("base64");
    const { file, stream, seq, created, signer, prev, seen, sdk, expires, settled } = options;
    const vkey = signer?.vkey ?? null;
    this.#openLine = formatControlLine({
      type: "segment.open",
      v: 1,
      file,
      stream,
      seq,
      created,
      vkey,
      prev,
      seen,
      sdk,
      expires,
      settled,
    });
  }

  /** Leaves sealed so far. */
  get size(): number {
    return this.#tree.size;
  }

  /** Root hash over them, base64. */
  get root(): string {
    return this.#root;
  }

  /** Entries sealed so far. */
  get entries(): number {
    return this.#entries;
  }

  /** The state at the last checkpoint, for the `prev` or `seen` of another segment. */
  ref(): SegmentRef {
    return { file: this.file, size: this.size, root: this.#root };
  }

  /**
   * Bytes of one commit: before the first one the `segment.open` line, then `lines`, then a
   * checkpoint over all leaves so far.
   * @param lines JSON objects, at least one. The caller has checked that they hold no line feed
   * (`checkLine`).
   * @param entries How many of them are entries, not control lines.
   * @param linked How many of these record a call that another entry records too.
   * @throws {AuditInputError} `AUDIT_INPUT_INVALID` when a line is not a JSON object, or is one
   * that only the segment itself may write. The segment is then unchanged.
   * @throws {AuditWriteError} `AUDIT_CLOSED` after `close`.
   */
  seal(lines: readonly string[], entries: number, linked = 0): Buffer {
    if (lines.length === 0) throw new AuditInputError("A commit needs at least one line");
    for (const line of lines) checkLine(line);
    const bytes = this.#commit(lines, entries);
    this.#linked += linked;
    return bytes;
  }

  /**
   * Bytes of the last commit: a `segment.close` line and its checkpoint.
   * @throws {AuditWriteError} `AUDIT_CLOSED` when called again.
   */
  close(reason: string): Buffer {
    const leaves = this.size + (this.#openLine === undefined ? 1 : 2);
    const line = formatControlLine({
      type: "segment.close",
      reason,
      leaves,
      entries: this.#entries,
      linked: this.#linked || undefined,
    });
    const bytes = this.#commit([line], 0);
    this.#closed = true;
    return bytes;
  }

  #commit(lines: readonly string[], entries: number): Buffer {
    if (this.#closed) throw new AuditWriteError("AUDIT_CLOSED", `Segment ${this.file} is closed`);
    const leaves = this.#openLine === undefined ? lines : [this.#openLine, ...lines];
    let capacity = 1 + this.#checkpointBytes + 1;
    for (const line of leaves) capacity += Buffer.byteLength(line) + 1;
    // Byte 0 is spare: each leaf is hashed in place with 00 in the byte before it, for all others
    // the previous LF.
    const buffer = Buffer.allocUnsafe(capacity);
    let at = 1;
    for (const line of leaves) {
      const end = at + buffer.write(line, at);
      this.#tree.appendInPlace(buffer, at, end);
      buffer[end] = LF;
      at = end + 1;
    }
    this.#openLine = undefined;
    this.#entries += entries;
    this.#root = this.#tree.root().toString("base64");
    at += buffer.write(this.#checkpointLine(), at);
    buffer[at] = LF;
    return buffer.subarray(1, at + 1);
  }

  #checkpointLine(): string {
    const text = formatCheckpoint({ origin: this.#origin, size: this.size, root: this.#root });
    const note = formatNote(text, this.#signer === undefined ? [] : [this.#signer.sign(text)]);
    return formatControlLine({ type: "checkpoint", note });
  }

  /**
   * The longest checkpoint line of this segment: its room is reserved before the root is known.
   */
  #longestCheckpointLine(): string {
    const root = Buffer.alloc(HASH_BYTES).toString("base64");
    const text = formatCheckpoint({ origin: this.#origin, size: Number.MAX_SAFE_INTEGER, root });
    const signature = { keyHash: "00000000", signature: Buffer.alloc(SIGNATURE_BYTES) };
    const signatureLines =
      this.#signer === undefined
        ? []
        : [formatSignatureLine({ ...signature, name: this.#signer.name })];
    return formatControlLine({ type: "checkpoint", note: formatNote(text, signatureLines) });
  }
}

/** Lines that only a segment writes. */
const OWN_PREFIXES = [CHECKPOINT_PREFIX, '{"type":"segment.open"', '{"type":"segment.close"'];

function checkLine(line: string): void {
  if (!line.startsWith("{")) throw new AuditInputError("A line must be a JSON object");
  if (OWN_PREFIXES.some((prefix) => line.startsWith(prefix))) {
    throw new AuditInputError("Checkpoints and segment lines are written by the segment alone");
  }
}
