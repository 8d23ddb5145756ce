// One file, from its first byte to its last: is it what was sealed, and where does it end?
import {
  CHECKPOINT_PREFIX,
  CONTROL_PREFIX,
  type RemovalRecord,
  type RetentionHold,
  type RetentionRelease,
  type SegmentOpen,
  type SegmentRef,
} from "../format/control-line.ts";
import { eachLine, LineSplitter } from "../format/lines.ts";
import { MerkleTree } from "../seal/merkle.ts";
import { readControlLine, readFirstLine, readLineOf } from "../format/read-control-line.ts";
import type { SegmentCheckOptions, SegmentReport } from "./segment-report.ts";
import { SignatureQueue } from "../seal/signature-queue.ts";
import type { Problem } from "./verification.ts";
import { type BadCheckpoint, CheckpointVerifier } from "./checkpoint-check.ts";

/** Reads one file through and reports. Rejects only when the file cannot be read. */
export async function examineSegment(
  file: string,
  chunks: AsyncIterable<Buffer>,
  options: SegmentCheckOptions,
): Promise<SegmentReport> {
  const splitter = new LineSplitter();
  const check = new SegmentCheck(file, options);
  for await (const chunk of chunks) {
    for (const block of splitter.push(chunk)) {
      eachLine(block, (bytes, start, end) => {
        check.line(bytes, start, end);
      });
    }
    options.onBytes?.(chunk.byteLength);
    await check.room();
  }
  return check.end(splitter.rest());
}

/** A `segment.close` line that waits for its checkpoint. */
interface CloseLine {
  readonly line: number;
  /** Its own place: the leaves there should be in all. */
  readonly leaves: number;
  /** Whether it counts what is before it. */
  readonly isRight: boolean;
  readonly reason: string | undefined;
}

/** Third byte of a line whose first member's name begins with `t`: the cheapest sign of a control line. */
const T = 0x74;

class SegmentCheck {
  readonly #file: string;
  readonly #options: SegmentCheckOptions;
  readonly #problems: Problem[] = [];
  readonly #tree = new MerkleTree();
  readonly #roots = new Map<number, string>();
  #kind: SegmentReport["kind"] = "stub";
  #open: SegmentOpen | undefined;
  #checkpoints: CheckpointVerifier | undefined;
  #signatures: SignatureQueue | undefined;
  #lastSignature:
    | { readonly line: number; readonly text: string; readonly signature: Buffer }
    | undefined;
  #line = 0;
  #entries = 0;
  #sealed = { size: 0, root: "", entries: 0, line: 0 };
  /** Bad checkpoints since the last good one. A good one after them shows that they alone were altered. */
  #suspects: (BadCheckpoint & { readonly line: number })[] = [];
  #close: CloseLine | undefined;
  #closeSealed = false;
  #prunes: RemovalRecord[] = [];
  #sealedPrunes: RemovalRecord[] = [];
  #seen: SegmentRef[] = [];
  #sealedSeen: SegmentRef[] = [];
  #hold: RetentionHold | RetentionRelease | undefined;
  #isAfterEnd = false;

  constructor(file: string, options: SegmentCheckOptions) {
    this.#file = file;
    this.#options = options;
  }

  line(bytes: Buffer, start: number, end: number): void {
    this.#line += 1;
    if (this.#line === 1) this.#firstLine(bytes.toString("utf8", start, end));
    const isControl = bytes[start + 2] === T && startsWith(bytes, start, end, CONTROL_PREFIX);
    const isCheckpoint = isControl && startsWith(bytes, start, end, CHECKPOINT_PREFIX);
    if (this.#checkpoints === undefined) {
      this.#unsealedLine(isControl, isCheckpoint);
      // A later version may build its tree otherwise. Where it does not, what others recorded of it can be compared.
      if (this.#kind === "unknown-version" && !isCheckpoint) this.#leaf(bytes, start, end);
    } else if (this.#closeSealed) {
      this.#lineAfterEnd();
    } else if (isCheckpoint) {
      this.#checkpointLine(this.#checkpoints, bytes.toString("utf8", start, end));
    } else {
      if (isControl) this.#controlLine(bytes, start, end);
      else this.#entries += 1;
      this.#leaf(bytes, start, end);
    }
  }

  #leaf(bytes: Buffer, start: number, end: number): void {
    this.#tree.appendInPlace(bytes, start, end);
    if (!this.#options.sizesWanted.has(this.#tree.size)) return;
    this.#roots.set(this.#tree.size, this.#tree.root().toString("base64"));
  }

  async room(): Promise<void> {
    await this.#signatures?.room();
  }

  async end(rest: Buffer): Promise<SegmentReport> {
    if (this.#lastSignature !== undefined && this.#options.signatures === "last") {
      const { line, text, signature } = this.#lastSignature;
      this.#signatures?.add(line, text, signature);
    }
    await this.#signatures?.settled();
    this.#checkSignatures();
    this.#checkTail(rest);
    const broken = this.#broken();
    const isAltered =
      broken !== undefined || this.#problems.some(({ state }) => state === "TAMPERED");
    const key = this.#checkpoints?.key;
    const isProven = key !== undefined && this.#sealed.size > 0 && !isAltered;
    const knownLeaves = this.#suspects.length === 0 ? this.#tree.size : this.#sealed.size;
    const hasBadSignature = (this.#signatures?.badLines.length ?? 0) > 0;
    return {
      file: this.#file,
      kind: this.#kind,
      problems: this.#problems,
      open: this.#sealed.size > 0 && !hasBadSignature ? this.#open : undefined,
      origin: this.#checkpoints?.origin,
      sealed: this.#sealed,
      knownLeaves,
      roots: new Map([...this.#roots].filter(([size]) => size <= knownLeaves)),
      isClosed: this.#closeSealed,
      closedFor: this.#closeSealed ? this.#close?.reason : undefined,
      isProven,
      signedBy: isProven ? key.name : undefined,
      prunes: isAltered ? [] : this.#sealedPrunes,
      seen: isAltered || hasBadSignature ? [] : this.#sealedSeen,
      hold: this.#sealed.size > 1 && !hasBadSignature ? this.#hold : undefined,
      broken,
    };
  }

  #firstLine(text: string): void {
    const first = readFirstLine(text);
    this.#kind = first.kind === "malformed" ? "segment" : first.kind;
    if (first.kind === "malformed")
      return this.#report("TAMPERED", 1, "the segment.open line is malformed");
    if (first.kind === "unknown-version") {
      return this.#report(
        "UNKNOWN_VERSION",
        1,
        `format version ${first.version} is not known here`,
      );
    }
    if (first.kind === "foreign") return;
    try {
      this.#checkpoints = new CheckpointVerifier(first.open, this.#options.keyring);
    } catch {
      return this.#report("TAMPERED", 1, "the vkey of the segment.open line is malformed"); // what the error says
    }
    this.#open = first.open;
    if (first.open.file !== this.#file)
      this.#report("TAMPERED", 1, `this is ${first.open.file} under another name`);
    const { keyId, key } = this.#checkpoints;
    if (key !== undefined) this.#signatures = new SignatureQueue(key.publicKey);
    else if (keyId === undefined)
      this.#report("UNSIGNED", 0, "not signed: whoever can write here can recompute it");
    else this.#report("UNKNOWN_KEY", 0, `signed by ${keyId}, a key that was not given`);
  }

  /** A line of a file that makes no claim about itself, or one that nobody here can check. */
  #unsealedLine(isControl: boolean, isCheckpoint: boolean): void {
    if (this.#kind !== "foreign") return;
    if (!isControl) this.#entries += 1;
    if (isCheckpoint && this.#problems.length === 0) {
      this.#report("TAMPERED", 1, "checkpoints follow a first line that is not segment.open");
    }
  }

  #lineAfterEnd(): void {
    if (!this.#isAfterEnd)
      this.#report("TAMPERED", this.#line, "a line follows the end of the segment");
    this.#isAfterEnd = true;
  }

  #controlLine(bytes: Buffer, start: number, end: number): void {
    if (startsWith(bytes, start, end, '{"type":"segment.close"')) {
      const close = readLineOf(bytes.toString("utf8", start, end), "segment.close");
      const isRight = close?.leaves === this.#tree.size + 1 && close.entries === this.#entries;
      this.#close = {
        line: this.#line,
        leaves: this.#tree.size + 1,
        isRight,
        reason: close?.reason,
      };
    } else if (startsWith(bytes, start, end, '{"type":"retention.')) {
      this.#retentionLine(bytes.toString("utf8", start, end));
    }
  }

  #retentionLine(text: string): void {
    const line = readControlLine(text);
    if (line?.type === "retention.prune" || line?.type === "retention.archived")
      this.#prunes.push(line);
    else if (line?.type === "retention.seen") this.#seen = this.#seen.concat(line.seen);
    else if (this.#line !== 2) return;
    else if (line?.type === "retention.hold" || line?.type === "retention.release")
      this.#hold = line;
  }

  #checkpointLine(checkpoints: CheckpointVerifier, line: string): void {
    const size = this.#tree.size;
    if (size === this.#sealed.size) {
      if (this.#suspects.length === 0)
        this.#report("TAMPERED", this.#line, "a checkpoint that covers no new line");
      return;
    }
    const root = this.#tree.root().toString("base64");
    const result = checkpoints.check(line, size, root);
    if (!result.ok) {
      if (this.#suspects.length < MAX_SUSPECTS)
        this.#suspects.push({ ...result, line: this.#line });
      return;
    }
    for (const suspect of this.#suspects) {
      this.#report(
        "TAMPERED",
        suspect.line,
        "the checkpoint was altered; the lines around it are as they were sealed",
      );
    }
    this.#suspects = [];
    this.#sealed = { size, root, entries: this.#entries, line: this.#line };
    this.#sealedPrunes.push(...this.#prunes.splice(0));
    this.#sealedSeen = this.#sealedSeen.concat(this.#seen.splice(0));
    if (this.#close !== undefined) this.#sealClose(this.#close, size);
    if (result.signature === undefined) return;
    this.#lastSignature = { line: this.#line, text: result.text, signature: result.signature };
    if (this.#options.signatures === "all")
      this.#signatures?.add(this.#line, result.text, result.signature);
  }

  #sealClose({ line, leaves, isRight }: CloseLine, size: number): void {
    this.#closeSealed = true;
    if (!isRight)
      this.#report("TAMPERED", line, "the segment.close line does not count what is there");
    if (leaves !== size)
      this.#report("TAMPERED", line + 1, "a line follows the segment.close line");
  }

  #checkSignatures(): void {
    const lines = (this.#signatures?.badLines ?? []).toSorted((a, b) => a - b);
    const [first] = lines;
    if (first === undefined) return;
    const further = lines.length > 1 ? ` (nor do ${lines.length - 1} later ones)` : "";
    this.#report(
      "TAMPERED",
      first,
      `the signature by ${this.#checkpoints?.keyId ?? ""} does not verify${further}`,
    );
  }

  /** A torn or unsealed end is what a crash leaves: never called tampered, unless it is behind the very end. */
  #checkTail(rest: Buffer): void {
    if (this.#kind === "unknown-version") return;
    if (this.#kind === "foreign") {
      if (rest.byteLength > 0) this.#entries += 1;
      this.#sealed = { ...this.#sealed, entries: this.#entries };
      if (this.#problems.length === 0) {
        this.#report("FOREIGN", 0, "not written by this library: read, but nothing vouches for it");
      }
      return;
    }
    if (rest.byteLength > 0 && this.#closeSealed) {
      if (!this.#isAfterEnd)
        this.#report("TAMPERED", this.#line + 1, "bytes follow the end of the segment");
    } else if (rest.byteLength > 0) {
      const what = rest.every((byte) => byte === 0) ? "zero bytes" : "a line without its end";
      this.#report(
        "TORN_TAIL",
        this.#line + 1,
        `${what} at the end: ${rest.byteLength} bytes that were never sealed`,
      );
    } else if (this.#line === 0) {
      this.#report("TORN_TAIL", 0, "the file is empty");
    }
    const unsealed = this.#tree.size - this.#sealed.size;
    if (unsealed > 0 && this.#suspects.length === 0) {
      this.#report(
        "UNSEALED_TAIL",
        this.#sealed.line + 1,
        `${unsealed} whole ${unsealed === 1 ? "line" : "lines"} after the last checkpoint`,
        this.#line,
      );
    }
  }

  #broken(): SegmentReport["broken"] {
    const [suspect] = this.#suspects;
    if (suspect === undefined) return undefined;
    const after = this.#line > suspect.line ? "; nothing after it can be checked" : "";
    if (suspect.altered === "checkpoint") {
      this.#report("TAMPERED", suspect.line, suspect.message + after);
      return undefined;
    }
    const isRemoval = suspect.altered === "removed-lines";
    return {
      fromLine: this.#sealed.line + 1,
      toLine: suspect.line,
      isRemoval,
      message: suspect.message + after,
    };
  }

  #report(state: Problem["state"], line: number, message: string, lastLine?: number): void {
    if (this.#problems.length > MAX_PROBLEMS) return;
    if (this.#problems.length === MAX_PROBLEMS) {
      this.#problems.push({ state, line, message: "there is more like this in the file" });
      return;
    }
    const isRange = lastLine !== undefined && lastLine > line;
    this.#problems.push({ state, line, ...(isRange && { lastLine }), message });
  }
}

/** A file made to be reported on must not fill the memory. */
const MAX_PROBLEMS = 100;
/** More altered checkpoints in a row are not told one by one. */
const MAX_SUSPECTS = 8;

function startsWith(bytes: Buffer, start: number, end: number, prefix: string): boolean {
  return (
    end - start >= prefix.length &&
    bytes.toString("latin1", start, start + prefix.length) === prefix
  );
}
