// Examines one file from its first byte to its last: does it match its seal, and where does it end?
// Over 300 lines: one pass over the bytes collects everything that the other steps need.
import { verify } from "node:crypto";
import {
  type Again,
  CHECKPOINT_PREFIX,
  CONTROL_PREFIX,
  type ControlLine,
  type RemovalLine,
  type RetentionHold,
  type RetentionRelease,
  type SegmentOpen,
  type SegmentRef,
} from "../format/control-line.ts";
import { timeOfId } from "../format/id.ts";
import { eachLine, LineSplitter } from "../format/lines.ts";
import { readCheckpointLine, readControlLine, readFirstLine } from "../format/read-control-line.ts";
import { dayOfSegment, startOfDay } from "../format/segment-name.ts";
import { leafHashInPlace, MerkleTree } from "../seal/merkle.ts";
import { SignatureQueue } from "../seal/signature-queue.ts";
import { type BadCheckpoint, CheckpointVerifier } from "./checkpoint-check.ts";
import type { Fact, SegmentCheckOptions, SegmentReport } from "./segment-report.ts";
import { OverlongLine } from "./overlong-line.ts";
import type { Problem } from "./verification.ts";
import { DAY_MS } from "../time.ts";

/**
 * Examines one file. Rejects when it cannot be read, unless `isOfFile` says that the file itself is
 * the reason: then the report is of the bytes up to there.
 */
export async function examineSegment(
  file: string,
  chunks: AsyncIterable<Buffer>,
  options: SegmentCheckOptions,
): Promise<SegmentReport> {
  const splitter = new LineSplitter();
  const overlong = new OverlongLine();
  const check = new SegmentCheck(file, options);
  try {
    for await (const chunk of chunks) {
      for (const block of splitter.push(chunk)) {
        check.blockOffset = block.offset - block.start;
        eachLine(block, (bytes, start, end) => {
          check.line(bytes, start, end);
        });
      }
      options.onBytes?.(chunk.byteLength);
      await check.room();
      if (overlong.isReachedBy(chunk)) break; // not a line, so no lines can follow
    }
  } catch (error) {
    if (options.isOfFile?.(error) !== true) throw error;
    return check.endUnread(error instanceof Error ? error.message : String(error));
  }
  return check.end(splitter.rest());
}

/** A `segment.close` line that waits for its checkpoint. */
interface CloseLine {
  readonly line: number;
  /** Its own leaf number: the number of leaves expected in all. */
  readonly leaves: number;
  /** Whether its counts match the lines before it. */
  readonly isRight: boolean;
  readonly reason: string | undefined;
}

/**
 * Third byte of a line whose first member's name begins with `t`: the cheapest sign of a control
 * line.
 */
const T = 0x74;
const CR = 0x0d;
const QUOTE = 0x22;

class SegmentCheck {
  /** Offset of the current block's buffer in the file. */
  blockOffset = 0;
  readonly #file: string;
  readonly #options: SegmentCheckOptions;
  readonly #problems: Problem[] = [];
  readonly #tree = new MerkleTree();
  readonly #roots = new Map<number, string>();
  readonly #entriesAt = new Map<number, number>();
  #sealedSubtrees: readonly Buffer[] = [];
  readonly #day: { readonly from: string; readonly to: string } | undefined;
  #kind: SegmentReport["kind"] = "stub";
  #open: SegmentOpen | undefined;
  #checkpoints: CheckpointVerifier | undefined;
  #signatures: SignatureQueue | undefined;
  #lastSignature:
    | { readonly line: number; readonly text: string; readonly signature: Buffer }
    | undefined;
  #line = 0;
  #entries = 0;
  #lastId = "";
  #newestAt = -Infinity;
  #sealed = { size: 0, root: "", entries: 0, line: 0, bytes: 0, newest: -Infinity };
  #note: string | undefined;
  /**
   * Bad checkpoints since the last good one. A good one after them shows that they alone were
   * altered.
   */
  #suspects: (BadCheckpoint & { readonly line: number })[] = [];
  #close: CloseLine | undefined;
  #closeSealed = false;
  /** Lines since the last good checkpoint, and the lines that it covers. */
  #waiting = newClaims();
  readonly #claims = newClaims();
  #hold: RetentionHold | RetentionRelease | undefined;
  /** The lines that another segment repeats, and the entries before them. */
  #superseded: { readonly entries: number; readonly hashes: string[] } | undefined;
  #hasHeartbeat = false;
  readonly #repeats: { readonly line: Again; readonly hashes: string[] }[] = [];
  #isAfterEnd = false;
  #isCrlf = false;
  #blankLines = 0;

  constructor(file: string, options: SegmentCheckOptions) {
    this.#file = file;
    this.#options = options;
    const start = startOfDay(dayOfSegment(file) ?? "");
    if (!Number.isNaN(start)) this.#day = { from: idTime(start), to: idTime(start + DAY_MS) };
  }

  line(bytes: Buffer, start: number, end: number): void {
    this.#line += 1;
    if (this.#line === 1) this.#firstLine(bytes, start, end);
    const isControl = bytes[start + 2] === T && startsWith(bytes, start, end, CONTROL_PREFIX);
    const isCheckpoint = isControl && startsWith(bytes, start, end, CHECKPOINT_PREFIX);
    if (this.#kind === "unknown-version") {
      // The tree is the same in every version.
      if (isCheckpoint) this.#checkpointOfAnyVersion(bytes.toString("utf8", start, end), end);
      else this.#leaf(bytes, start, end);
    } else if (this.#checkpoints === undefined) {
      this.#unsealedLine(isControl, isCheckpoint);
    } else if (this.#closeSealed) {
      this.#lineAfterEnd(start === end);
    } else if (isCheckpoint) {
      this.#checkpointLine(this.#checkpoints, bytes.toString("utf8", start, end), end);
    } else {
      if (isControl) this.#controlLine(bytes, start, end);
      else this.#entryLine(bytes, start, end);
      this.#leaf(bytes, start, end);
    }
  }

  async room(): Promise<void> {
    await this.#signatures?.room();
  }

  async end(rest: Buffer): Promise<SegmentReport> {
    if (this.#line === 0 && rest.byteLength > OverlongLine.MAX_FIRST_BYTES) {
      this.#kind = "foreign"; // not a segment, so records of a segment under this name are wrong
      this.#tell("UNREADABLE", 0, "not read: its first line has no end, and more than 16 MiB");
      return this.#report();
    }
    await this.#checkLastSignature();
    this.#checkTail(rest);
    return this.#report();
  }

  /** The report of a file that could not be read to its end. */
  async endUnread(reason: string): Promise<SegmentReport> {
    if (this.#line === 0) this.#kind = "unread";
    await this.#checkLastSignature();
    const read = this.#line === 0 ? "" : ` behind line ${this.#line}`;
    this.#tell("UNREADABLE", 0, `cannot be read${read}: ${reason}`);
    return this.#report();
  }

  async #checkLastSignature(): Promise<void> {
    if (this.#lastSignature !== undefined && this.#options.signatures === "last") {
      const { line, text, signature } = this.#lastSignature;
      this.#signatures?.add(line, text, signature);
    }
    await this.#signatures?.settled();
    const lines = (this.#signatures?.badLines ?? []).toSorted((a, b) => a - b);
    const [first] = lines;
    if (first === undefined) return;
    const further = lines.length > 1 ? ` (nor do ${lines.length - 1} later ones)` : "";
    const keyId = this.#checkpoints?.keyId ?? "";
    this.#tell("TAMPERED", first, `the signature by ${keyId} does not verify${further}`);
  }

  #report(): SegmentReport {
    const broken = this.#broken();
    const isAltered =
      broken !== undefined || this.#problems.some(({ state }) => state === "TAMPERED");
    const key = this.#checkpoints?.key;
    const isProven = key !== undefined && this.#sealed.size > 0 && !isAltered;
    const knownLeaves = this.#suspects.length === 0 ? this.#tree.size : this.#sealed.size;
    const hasBadSignature = (this.#signatures?.badLines.length ?? 0) > 0;
    const isSound = !isAltered && !hasBadSignature;
    const { prunes, seen, facts, callsBegun, callsEnded } = this.#claims;
    const { size, root, entries, bytes, newest } = this.#sealed;
    return {
      file: this.#file,
      kind: this.#kind,
      problems: this.#problems,
      open: size > 0 && !hasBadSignature ? this.#open : undefined,
      origin: this.#checkpoints?.origin,
      sealed: { size, root, entries },
      note: isSound ? this.#note : undefined,
      knownLeaves,
      roots: new Map([...this.#roots].filter(([at]) => at <= knownLeaves)),
      entriesAt: this.#entriesAt,
      subtrees: this.#sealedSubtrees,
      isClosed: this.#closeSealed,
      closedFor: this.#closeSealed ? this.#close?.reason : undefined,
      isProven,
      signedBy: isProven ? this.#checkpoints?.keyId : undefined,
      prunes: isAltered ? [] : prunes,
      seen: isSound ? seen : [],
      hold: size > 1 && !hasBadSignature ? this.#hold : undefined,
      facts: isSound ? facts : [],
      callsBegun: isSound ? callsBegun : [],
      callsEnded,
      newest: isSound && newest > 0 ? newest : undefined,
      sealedBytes: bytes,
      superseded: this.#superseded && {
        leaf: this.#options.supersededFrom ?? 0,
        ...this.#superseded,
      },
      hasHeartbeat: this.#hasHeartbeat,
      repeats: isSound ? this.#repeats : [],
      broken,
    };
  }

  #firstLine(bytes: Buffer, start: number, end: number): void {
    this.#isCrlf = bytes[end - 1] === CR;
    const text = bytes.toString("utf8", start, end);
    const first = readFirstLine(text);
    if (first.kind !== "foreign" && end - start > OverlongLine.MAX_FIRST_BYTES) {
      this.#kind = "foreign"; // no reader takes it for a segment
      return this.#tell("UNREADABLE", 1, "the first line of a segment has at most 16 MiB");
    }
    this.#kind = first.kind === "malformed" ? "segment" : first.kind;
    if (first.kind === "malformed")
      return this.#tell("TAMPERED", 1, "the segment.open line is malformed");
    if (first.kind === "unknown-version") {
      const message = `format version ${first.version} is not known here`;
      return this.#tell("UNKNOWN_VERSION", 1, message);
    }
    if (first.kind === "foreign") {
      if (text.startsWith("\uFEFF") && readFirstLine(text.slice(1)).kind === "segment")
        this.#tell(
          "TAMPERED",
          1,
          "a byte order mark was put in front of the first line: by an editor?",
        );
      return;
    }
    try {
      this.#checkpoints = new CheckpointVerifier(first.open, this.#options.keyring);
    } catch {
      return this.#tell("TAMPERED", 1, "the vkey of the segment.open line is malformed"); // the error's meaning
    }
    this.#open = first.open;
    this.#noteTime(first.open.created);
    if (first.open.file !== this.#file)
      this.#tell("TAMPERED", 1, `this is ${first.open.file} under another name`);
    const { keyId, key, distrust = "" } = this.#checkpoints;
    if (key !== undefined) this.#signatures = new SignatureQueue(key.publicKey);
    else if (keyId === undefined)
      this.#tell("UNSIGNED", 0, "not signed: anybody who can write here can recompute it");
    else this.#tell("UNKNOWN_KEY", 0, distrust);
  }

  #leaf(bytes: Buffer, start: number, end: number): void {
    const at = this.#tree.size;
    const from = this.#options.supersededFrom;
    if (from !== undefined && at >= from) {
      this.#superseded ??= {
        entries: this.#entries - (bytes[start + 2] === T ? 0 : 1),
        hashes: [],
      };
      if (this.#superseded.hashes.length < MAX_REPEATED)
        this.#superseded.hashes.push(leafHashInPlace(bytes, start, end).toString("base64"));
    }
    this.#repeatedLine(bytes, start, end);
    this.#options.proofs?.append(leafHashInPlace(bytes, start, end));
    this.#tree.appendInPlace(bytes, start, end);
    if (!this.#options.sizesWanted.has(this.#tree.size)) return;
    this.#roots.set(this.#tree.size, this.#tree.root().toString("base64"));
    this.#entriesAt.set(this.#tree.size, this.#entries);
  }

  /** Keeps the hashes of the lines that an `again` line announces. */
  #repeatedLine(bytes: Buffer, start: number, end: number): void {
    const repeat = this.#repeats.at(-1);
    if (repeat === undefined || repeat.hashes.length >= Math.min(repeat.line.count, MAX_REPEATED))
      return;
    if (startsWith(bytes, start, end, AGAIN_PREFIX)) return;
    repeat.hashes.push(leafHashInPlace(bytes, start, end).toString("base64"));
  }

  /** A line of a file without a segment.open line. */
  #unsealedLine(isControl: boolean, isCheckpoint: boolean): void {
    if (this.#kind !== "foreign") return;
    if (!isControl) this.#entries += 1;
    if (isCheckpoint && this.#problems.length === 0) {
      this.#tell("TAMPERED", 1, "checkpoints follow a first line that is not segment.open");
    }
  }

  #lineAfterEnd(isBlank: boolean): void {
    const what = isBlank
      ? "an empty line follows the end of the segment: added by an editor?"
      : "a line follows the end of the segment";
    if (!this.#isAfterEnd) this.#tell("TAMPERED", this.#line, what);
    this.#isAfterEnd = true;
  }

  /** Readers find an entry by its id: by the day in it, and by bisection. */
  #entryLine(bytes: Buffer, start: number, end: number): void {
    this.#entries += 1;
    if (start === end) this.#blankLines += 1;
    else this.#checkId(bytes, start, end);
    const { calls } = this.#options;
    if (calls?.isWanted === true)
      calls.collect(bytes.subarray(start, end), this.#waiting.callsEnded);
  }

  #checkId(bytes: Buffer, start: number, end: number): void {
    const isEntry = bytes[start + ID_END - 1] === QUOTE && startsWith(bytes, start, end, ID_PREFIX);
    const id = isEntry
      ? bytes.toString("latin1", start + ID_PREFIX.length, start + ID_END - 1)
      : "";
    if (id > this.#lastId && this.#day !== undefined && id >= this.#day.from && id < this.#day.to) {
      this.#lastId = id;
      return;
    }
    if (id > this.#lastId && this.#day === undefined) {
      this.#lastId = id;
      return;
    }
    this.#misplaced.push({ line: this.#line, id });
  }

  /** Entries that readers cannot find. Reported only where a checkpoint covers them. */
  #misplaced: { readonly line: number; readonly id: string }[] = [];

  #tellMisplaced(): void {
    for (const { line, id } of this.#misplaced.splice(0)) {
      const why =
        timeOfId(id) === undefined
          ? "the line does not begin with an entry id"
          : id <= this.#lastId
            ? "the entry's id does not ascend"
            : "the entry's id is not of the file's day";
      this.#tell("TAMPERED", line, `${why}: readers cannot find it`, undefined, id);
    }
  }

  #controlLine(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString("utf8", start, end);
    const line = readControlLine(text);
    if (text.startsWith('{"type":"segment.close"')) {
      const close = line?.type === "segment.close" ? line : undefined;
      const isRight = close?.leaves === this.#tree.size + 1 && close.entries === this.#entries;
      const leaves = this.#tree.size + 1;
      this.#close = { line: this.#line, leaves, isRight, reason: close?.reason };
    } else if (line !== undefined) {
      this.#claim(line);
    }
  }

  #claim(line: ControlLine): void {
    this.#noteTime(timeIn(line));
    if (line.type === "heartbeat") this.#hasHeartbeat = true;
    const { prunes, seen, facts, callsBegun } = this.#waiting;
    if (line.type === "retention.prune" || line.type === "retention.archived")
      moveInto(prunes, [line]);
    else if (line.type === "retention.seen") moveInto(seen, line.seen);
    else if (line.type === "retention.hold" || line.type === "retention.release") {
      if (this.#line === 2) this.#hold = line;
    } else if (line.type === "call.started") {
      if (this.#options.calls?.admit() === true) callsBegun.push(line.call);
    } else if (line.type === "again") {
      moveInto(this.#repeats, [{ line, hashes: [] }]);
    } else if (
      (line.type === "loss" || line.type === "subject.erased" || line.type === "segment.gap") &&
      facts.length < MAX_FACTS
    ) {
      facts.push(line);
    }
  }

  #noteTime(time: string | undefined): void {
    const at = Date.parse(time ?? "");
    if (at > this.#newestAt) this.#newestAt = at;
  }

  #checkpointLine(checkpoints: CheckpointVerifier, line: string, end: number): void {
    const size = this.#tree.size;
    if (size === this.#sealed.size) {
      if (this.#suspects.length === 0)
        this.#tell("TAMPERED", this.#line, "a checkpoint that covers no new line");
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
      const message = "the checkpoint was altered; the lines around it are as they were sealed";
      this.#tell("TAMPERED", suspect.line, message);
    }
    this.#suspects = [];
    this.#tellMisplaced();
    this.#seal(size, root, end);
    this.#note = result.note;
    if (this.#close !== undefined) this.#sealClose(this.#close, size);
    if (result.signature === undefined) return;
    this.#lastSignature = { line: this.#line, text: result.text, signature: result.signature };
    if (this.#options.signatures === "all")
      this.#signatures?.add(this.#line, result.text, result.signature);
  }

  #seal(size: number, root: string, end: number): void {
    const newest = Math.max(this.#newestAt, timeOfId(this.#lastId) ?? -Infinity);
    const bytes = this.blockOffset + end + 1;
    this.#sealed = { size, root, entries: this.#entries, line: this.#line, bytes, newest };
    if (this.#options.keepsSubtrees) this.#sealedSubtrees = this.#tree.state().subtrees;
    const { prunes, seen, facts, callsBegun, callsEnded } = this.#waiting;
    const claims = this.#claims;
    moveInto(claims.prunes, prunes.splice(0));
    moveInto(claims.seen, seen.splice(0));
    moveInto(claims.facts, facts.splice(0));
    moveInto(claims.callsBegun, callsBegun.splice(0));
    moveInto(claims.callsEnded, callsEnded.splice(0));
  }

  /**
   * A checkpoint of a later version: its text begins with the tree's size and root in every
   * version.
   */
  #checkpointOfAnyVersion(line: string, end: number): void {
    const read = readCheckpointLine(line);
    if (read === undefined) return; // of a kind that this version cannot read
    const root = this.#tree.root().toString("base64");
    if (read.checkpoint.size !== this.#tree.size || read.checkpoint.root !== root) {
      if (this.#problems.some(({ state }) => state === "TAMPERED")) return;
      const message = "the lines before it are not those of its checkpoint, in any version";
      return this.#tell("TAMPERED", this.#line, message);
    }
    for (const { name, keyHash, signature } of read.note.signatures) {
      const key = this.#options.keyring.get(`${name}+${keyHash}`);
      if (key && !verify(null, Buffer.from(read.note.text), key.publicKey, signature))
        this.#tell("TAMPERED", this.#line, `the signature by ${name}+${keyHash} does not verify`);
    }
    this.#seal(this.#tree.size, root, end);
  }

  #sealClose({ line, leaves, isRight }: CloseLine, size: number): void {
    this.#closeSealed = true;
    if (!isRight)
      this.#tell("TAMPERED", line, "the segment.close line does not count what is there");
    if (leaves !== size) this.#tell("TAMPERED", line + 1, "a line follows the segment.close line");
  }

  /**
   * A crash leaves a torn or unsealed end: it is never TAMPERED, unless it follows the segment's
   * end.
   */
  #checkTail(rest: Buffer): void {
    if (this.#kind === "unknown-version") return;
    if (this.#kind === "foreign") {
      if (rest.byteLength > 0) this.#entries += 1;
      this.#sealed = { ...this.#sealed, entries: this.#entries };
      if (this.#problems.length === 0) {
        this.#tell("FOREIGN", 0, "not written by this library: read, but nothing vouches for it");
      }
      return;
    }
    if (rest.byteLength > 0 && this.#closeSealed) {
      if (!this.#isAfterEnd)
        this.#tell("TAMPERED", this.#line + 1, "bytes follow the end of the segment");
    } else if (rest.byteLength > 0) {
      const what = rest.every((byte) => byte === 0) ? "zero bytes" : "a line without its end";
      const size =
        rest.byteLength > OverlongLine.MAX_FIRST_BYTES
          ? `more than ${OverlongLine.MAX_FIRST_BYTES}`
          : rest.byteLength;
      const message = `${what} at the end: ${size} bytes that were never sealed`;
      this.#tell("TORN_TAIL", this.#line + 1, message);
    } else if (this.#line === 0) {
      this.#tell("TORN_TAIL", 0, "the file is empty");
    }
    const unsealed = this.#tree.size - this.#sealed.size;
    if (unsealed > 0 && this.#suspects.length === 0) {
      const lines = `${unsealed} whole ${unsealed === 1 ? "line" : "lines"} after the last checkpoint`;
      const hint = unsealed === this.#blankLines ? ", empty: added by an editor?" : "";
      this.#tell("UNSEALED_TAIL", this.#sealed.line + 1, lines + hint, this.#line);
    }
  }

  #broken(): SegmentReport["broken"] {
    const [suspect] = this.#suspects;
    if (suspect === undefined) return undefined;
    const hint = this.#isCrlf ? "; its lines end in CR LF: was it copied as text?" : "";
    const after = this.#line > suspect.line ? "; nothing after it can be checked" : "";
    const message = suspect.message + hint + after;
    if (suspect.altered === "checkpoint") {
      this.#tell("TAMPERED", suspect.line, message);
      return undefined;
    }
    const isRemoval = suspect.altered === "removed-lines";
    return { fromLine: this.#sealed.line + 1, toLine: suspect.line, isRemoval, message };
  }

  #tell(
    state: Problem["state"],
    line: number,
    message: string,
    lastLine?: number,
    entryId?: string,
  ): void {
    if (this.#problems.length > MAX_PROBLEMS) return;
    if (this.#problems.length === MAX_PROBLEMS) {
      this.#problems.push({ state, line, message: "there is more like this in the file" });
      return;
    }
    const isRange = lastLine !== undefined && lastLine > line;
    const entry = entryId === undefined || entryId === "" ? {} : { entryId };
    this.#problems.push({ state, line, ...(isRange && { lastLine }), ...entry, message });
  }
}

/** Lines of one kind that a segment holds. */
function newClaims(): {
  prunes: RemovalLine[];
  seen: SegmentRef[];
  facts: Fact[];
  callsBegun: string[];
  callsEnded: string[];
} {
  return { prunes: [], seen: [], facts: [], callsBegun: [], callsEnded: [] };
}

/** Adds items up to `MAX_CLAIMS`. One by one: there may be more than a call has arguments. */
function moveInto<T>(target: T[], items: readonly T[]): void {
  for (const item of items) if (target.length < MAX_CLAIMS) target.push(item);
}

/** The time that a control line names. */
function timeIn(line: ControlLine): string | undefined {
  if (line.type === "retention.hold") return line.placed;
  if (line.type === "retention.release") return line.released;
  if (line.type === "call.started") return line.timestamp;
  return "at" in line ? line.at : undefined;
}

/** The first characters of ids of a time. RFC 9562, 5.7. */
function idTime(time: number): string {
  const hex = time.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** An attacker's file with many problems must not fill the memory. */
const MAX_PROBLEMS = 100;
/** Further altered checkpoints in a row are not reported one by one. */
const MAX_SUSPECTS = 8;
/** A commit has fewer lines; a file of such lines alone must not fill the memory. */
const MAX_REPEATED = 65_536;
const MAX_FACTS = 100_000;
/** Lines of one kind. A segment of 100 MB that held nothing else would have fewer. */
const MAX_CLAIMS = 1_000_000;
const AGAIN_PREFIX = '{"type":"again"';
const ID_PREFIX = '{"id":"';
const ID_END = ID_PREFIX.length + 36 + 1;

function startsWith(bytes: Buffer, start: number, end: number, prefix: string): boolean {
  return (
    end - start >= prefix.length &&
    bytes.toString("latin1", start, start + prefix.length) === prefix
  );
}
