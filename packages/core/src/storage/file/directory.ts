// A directory of segments: its files, and the first and last lines of each. Over 300 lines: the
// class caches the results of the readers of first and last lines, and both change together.
import { hash } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  CHECKPOINT_PREFIX,
  prefixOf,
  type SegmentRef,
  type SegmentTail,
  type SettledFiles,
} from "../../format/control-line.ts";
import { LF, MAX_LINE_BYTES, splitLines } from "../../format/lines.ts";
import { readCheckpointLine, readFirstLine, readLineOf } from "../../format/read-control-line.ts";
import type { Note } from "../../seal/note.ts";
import {
  compareSegmentNames,
  parseSegmentName,
  type SegmentName,
} from "../../format/segment-name.ts";
import { syncDirectory, syncFileData } from "../../files.ts";
import { hasCode } from "../../system-error.ts";
import { type RandomAccess, readAt } from "../../retention/random-access.ts";
import {
  Actor,
  checkSegment,
  isSound,
  type Seal,
  sealOfHead,
  vouchesFor,
} from "../../retention/trust.ts";

/** A segment or foreign file by its name. */
export interface ListedFile extends SegmentName {
  readonly file: string;
}

/** The facts in the first line. */
export interface Head {
  /** Without `segment.open`: written by the Python original, for example. */
  readonly foreign: boolean;
  /**
   * False for a foreign file whose first line is too long for a segment and is not JSON: it is not
   * read at all.
   */
  readonly isReadable: boolean;
  /** Its first lines are those of a failed commit of another file, which may hold them too. */
  readonly isSecondTry: boolean;
  /** Empty for a foreign file. */
  readonly stream: string;
  /** The key that the segment names; null when it is not signed. */
  readonly vkey: string | null;
  /** States of other files that this one records: `prev` and `seen`. */
  readonly refs: readonly SegmentRef[];
  /** Files that no later writer needs to look at. */
  readonly settled: readonly SettledFiles[] | undefined;
}

/** A segment's beginning and end, read at once where the file is small. */
export interface Look {
  readonly head: Head;
  /** Whether its first lines are sealed by a key that is believed. */
  readonly isTrusted: boolean;
  /** The last checkpoint's state: a claim, unless the whole file was checked. */
  readonly ref: SegmentRef | undefined;
  /** Whether its last line records an end in order. */
  readonly isEnded: boolean;
  /** Bytes of the file, where all of them are sealed, and tree and signature were checked. */
  readonly wholeBytes: number | undefined;
}

/** The facts in the last lines. */
export interface Tail {
  /** The last checkpoint's size and root: a claim. */
  readonly ref: SegmentRef;
  /** The checkpoint's origin. */
  readonly origin: string;
  readonly note: Note;
  /** Offset behind the last checkpoint: lines after it are not sealed. */
  readonly end: number;
  /**
   * Calls recorded, where the file was ended in order: entries less those that record a call once
   * more.
   */
  readonly closedCalls: number | undefined;
}

/** A state for a record of it, and the offset behind its checkpoint. */
export interface StateToRecord {
  readonly ref: SegmentRef;
  readonly end: number;
}

/** No segment has a longer first line. */
const MAX_FIRST_LINE_BYTES: number = 16 * 2 ** 20;
/** A file of up to these bytes is read as one piece. */
export const PIECE_BYTES: number = 16 * 1024;
/** The last bytes in which a checkpoint is looked for: one torn commit at most follows it. */
const MAX_TAIL_BYTES = 256 * 2 ** 20;
const TAIL_WINDOW_BYTES = 2 ** 20;
/** Most files of a log with many are small. */
const FIRST_CHUNK_BYTES = 2 ** 16;
const CHUNK_BYTES = 2 ** 20;
/** A longer line is not a checkpoint: 64 signature lines fit many times. */
const MAX_CHECKPOINT_BYTES = 64 * 1024;
/**
 * Opening a thing that is not a file must neither hang (a FIFO) nor lead elsewhere (a link).
 * Windows has neither flag.
 */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

export class Directory {
  readonly path: string;
  /** The keys of the writer that acts on the files here. */
  readonly actor: Actor;
  /** A complete first line never changes. */
  readonly #heads = new Map<string, Head>();
  /** Names of files, read once: a start lists the directory several times. */
  readonly #names = new Map<string, ListedFile>();
  /** Nor does a closed file. */
  readonly #closedTails = new Map<string, Tail>();
  /** Nor do the whole and checked ones among them. */
  readonly #endedLooks = new Map<string, Look>();
  /** Nor does a first commit. */
  readonly #seals = new Map<string, Seal>();
  /** States that were computed, by the size of the file that they were computed over. */
  readonly #checked = new Map<
    string,
    { readonly bytes: number | undefined; readonly state: StateToRecord | undefined }
  >();

  constructor(path: string, actor: Actor = new Actor()) {
    this.path = path;
    this.actor = actor;
  }

  /** Whether lines under a seal are believed here; an absent seal proves nothing. */
  isTrusted(seal: Seal | undefined): boolean {
    return seal !== undefined && this.actor.trusts(seal.vkey);
  }

  /** The sealer of a segment's first commit; undefined while nothing is proven. */
  async seal(file: string): Promise<Seal | undefined> {
    const known = this.#seals.get(file);
    if (known) return known;
    const seal = await this.#with(file, (handle) => sealOfHead(handle, file));
    if (seal) this.#seals.set(file, seal);
    return seal;
  }

  /** Makes names of new and removed files durable. */
  async sync(): Promise<void> {
    await syncDirectory(this.path);
  }

  /**
   * Files of the log in the order of their names' days and numbers; none where the directory does
   * not exist.
   */
  async list(): Promise<ListedFile[]> {
    let found: Dirent[];
    try {
      found = await readdir(this.path, { withFileTypes: true });
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      found = [];
    }
    const listed: ListedFile[] = [];
    const before = this.#names.size;
    let remembered = 0;
    for (const entry of found) {
      if (!entry.isFile()) continue; // a directory, a pipe or a link of that name is not part of the log
      const known = this.#names.get(entry.name);
      const name = known ?? parseSegmentName(entry.name);
      if (!name) continue;
      const file = known ?? { file: entry.name, ...name };
      if (known) remembered += 1;
      else this.#names.set(entry.name, file);
      listed.push(file);
    }
    if (remembered < before) this.#forgetAllBut(new Set(found.map(({ name }) => name)));
    return listed.toSorted(compareSegmentNames);
  }

  /**
   * Files of a day, of the last day before it with a segment, and of later days, in the order of
   * their names. Things that are not files are not recognised here: reading one finds nothing. A
   * start reads the names of all files, and ignores the older ones.
   */
  async listSince(day: string): Promise<ListedFile[]> {
    let names: string[];
    try {
      names = await readdir(this.path);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      names = [];
    }
    if (this.#heads.size > 0) this.#forgetAllBut(new Set(names));
    // Strings are compared, and the newest ones first: most names are older, and are not parsed.
    const today = `audit_${day}`;
    let newest = "";
    for (const name of names.toReversed())
      if (name < today && name > newest && parseSegmentName(name)) newest = name;
    const since = newest === "" ? today : newest.slice(0, today.length);
    const listed: ListedFile[] = [];
    for (const name of names) {
      const parsed = name < since ? undefined : parseSegmentName(name);
      if (parsed) listed.push({ file: name, day: parsed.day, number: parsed.number });
    }
    return listed.toSorted(compareSegmentNames);
  }

  /** An old day, or a directory made again, may get a file of the same name. */
  #forgetAllBut(files: ReadonlySet<string>): void {
    for (const known of [...this.#names.keys(), ...this.#heads.keys(), ...this.#checked.keys()]) {
      if (files.has(known)) continue;
      this.#names.delete(known);
      this.#heads.delete(known);
      this.#closedTails.delete(known);
      this.#endedLooks.delete(known);
      this.#seals.delete(known);
      this.#checked.delete(known);
    }
  }

  /**
   * Opens a file for reading; undefined when it is gone (retention may remove one at any time), or
   * became a link.
   */
  async open(file: string): Promise<FileHandle | undefined> {
    try {
      return await open(join(this.path, file), READ_FLAGS);
    } catch (error) {
      if (hasCode(error, "ENOENT", "ELOOP")) return undefined;
      throw error;
    }
  }

  /** Bytes of a file; undefined when it is gone. */
  async sizeOf(file: string): Promise<number | undefined> {
    return this.#with(file, async (handle) => (await handle.stat()).size);
  }

  /** Time of the last write to a file, milliseconds since the epoch; -Infinity when it is gone. */
  async modified(file: string): Promise<number> {
    try {
      return (await lstat(join(this.path, file))).mtimeMs;
    } catch (error) {
      if (hasCode(error, "ENOENT")) return -Infinity;
      throw error;
    }
  }

  /** The facts in the first line; undefined while there is no complete one. */
  async head(file: string): Promise<Head | undefined> {
    const known = this.#heads.get(file);
    if (known) return known;
    const beginning = await this.#with(file, readBeginning);
    if (beginning === undefined) return undefined;
    const head = parseHead(beginning.line, beginning.isSecondTry);
    this.#heads.set(file, head);
    return head;
  }

  /** Whether the facts about a file are known without reading it. */
  hasLookedAt(file: string): boolean {
    return this.#endedLooks.has(file);
  }

  /**
   * Reads a file's beginning and end. A file of up to `wholeBytes` bytes is read and checked whole.
   * Undefined while there is no complete first line.
   */
  async look(file: string, wholeBytes: number = PIECE_BYTES): Promise<Look | undefined> {
    const known = this.#endedLooks.get(file);
    if (known) return known;
    const bytes = await this.#with(file, (handle) => readPiece(handle, wholeBytes));
    const look = bytes ? await this.#lookAt(file, bytes) : await this.#lookAtParts(file);
    if (look?.isEnded === true && look.wholeBytes !== undefined) this.#endedLooks.set(file, look);
    return look;
  }

  async #lookAt(file: string, bytes: Buffer): Promise<Look | undefined> {
    const end = bytes.indexOf(LF);
    if (end === -1) return undefined;
    const second = bytes.subarray(end + 1, end + 1 + AGAIN.length);
    const head = parseHead(bytes.toString("utf8", 0, end), second.equals(AGAIN));
    this.#heads.set(file, head);
    if (head.stream === "") return this.#lookAtParts(file);
    const wholeBytes = bytes.length;
    const report = await checkSegment(file, head.vkey, once(bytes));
    const { size, root } = report.sealed;
    const isSealed = report.sealedBytes === bytes.length && size > 0;
    const isWhole = isSound(report) && isSealed && (head.vkey === null || report.isProven);
    if (!isWhole) return this.#lookAtParts(file);
    const seal = { vkey: head.vkey };
    this.#seals.set(file, seal);
    const isTrusted = this.isTrusted(seal);
    const ref = { file, size, root };
    return { head, isTrusted, ref, isEnded: report.isClosed, wholeBytes };
  }

  async #lookAtParts(file: string): Promise<Look | undefined> {
    const head = await this.head(file);
    if (!head) return undefined;
    const isRecorder = head.refs.length > 0 || head.settled !== undefined;
    const isTrusted = isRecorder && this.isTrusted(await this.seal(file));
    const tail = await this.tail(file);
    const isEnded = tail?.closedCalls !== undefined;
    return { head, isTrusted, ref: tail?.ref, isEnded, wholeBytes: undefined };
  }

  /** The facts in the last lines; undefined when no complete checkpoint is there. */
  async tail(file: string): Promise<Tail | undefined> {
    const known = this.#closedTails.get(file);
    if (known) return known;
    if ((await this.head(file))?.foreign !== false) return undefined;
    const tail = await this.#with(file, (handle) => readTail(handle, file));
    if (tail?.closedCalls !== undefined) this.#closedTails.set(file, tail);
    return tail;
  }

  /**
   * A segment's latest checkpoint, for a record that verifiers will compare with the file. It is
   * taken from the file's last line where this writer's key signed it. Otherwise the tree is
   * computed over the whole file, once for each state, which takes 0.3 s for 100 MB. Undefined
   * where there is none.
   */
  async stateToRecord(file: string): Promise<StateToRecord | undefined> {
    const head = await this.head(file);
    if (!head || head.foreign) return undefined;
    const tail = await this.tail(file);
    if (tail && vouchesFor(this.actor.key, tail, { stream: head.stream, file }))
      return { ref: tail.ref, end: tail.end };
    const bytes = await this.sizeOf(file);
    const checked = this.#checked.get(file);
    if (checked && checked.bytes === bytes) return checked.state;
    const {
      open: opened,
      sealed,
      sealedBytes,
    } = await checkSegment(file, head.vkey, this.chunks(file));
    const state = opened && {
      ref: { file, size: sealed.size, root: sealed.root },
      end: sealedBytes,
    };
    this.#checked.set(file, { bytes, state });
    return state;
  }

  /**
   * The bytes of a file from an offset on; undefined where the file is gone, or has more of them
   * than a crash can leave.
   */
  async tailFrom(file: string, from: number): Promise<SegmentTail | undefined> {
    const size = await this.sizeOf(file);
    if (size === undefined || size < from || size - from > MAX_LINE_BYTES) return undefined;
    const rest = await this.#with(file, (handle) => readAt(handle, from, size - from));
    return rest && { bytes: rest.length, sha256: hash("sha256", rest) };
  }

  /** A file's bytes in chunks that the reader may write into. */
  async *chunks(file: string): AsyncGenerator<Buffer, void, void> {
    const handle = await this.open(file);
    if (!handle) return;
    try {
      yield* readChunks(handle);
    } finally {
      await handle.close();
    }
  }

  /**
   * Opens the file for each read, so that a reader of thousands of files holds none open. A file
   * that is gone is empty.
   */
  reader(file: string): RandomAccess {
    return {
      read: async (buffer, offset, length, position) =>
        (await this.#with(file, (handle) => handle.read(buffer, offset, length, position))) ?? {
          bytesRead: 0,
        },
    };
  }

  /**
   * Opens the file once for a piece of work of many reads. Resolves to undefined where it is gone.
   */
  async reading<T>(
    file: string,
    use: (handle: RandomAccess) => Promise<T>,
  ): Promise<T | undefined> {
    return this.#with(file, use);
  }

  /**
   * Syncs bytes that another process may just have written to a file, before any line records them.
   */
  async syncFile(file: string): Promise<void> {
    await this.#with(file, syncFileData);
  }

  async #with<T>(file: string, use: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
    const handle = await this.open(file);
    if (!handle) return undefined;
    try {
      return await use(handle);
    } finally {
      await handle.close();
    }
  }
}

/** All bytes of a file; undefined when it has more than `most`. */
async function readPiece(handle: FileHandle, most: number): Promise<Buffer | undefined> {
  const first = await readAt(handle, 0, Math.min(most, PIECE_BYTES) + 1);
  if (first.length <= Math.min(most, PIECE_BYTES)) return first;
  const { size } = await handle.stat();
  return size <= most ? readAt(handle, 0, size) : undefined;
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield bytes;
}

/** The bytes of an open file in chunks that the reader may write into. */
export async function* readChunks(handle: RandomAccess): AsyncGenerator<Buffer, void, void> {
  let at = 0;
  for (let length = FIRST_CHUNK_BYTES; ; length = CHUNK_BYTES) {
    const chunk = await readAt(handle, at, length);
    if (chunk.length > 0) yield chunk;
    if (chunk.length < length) return;
    at += chunk.length;
  }
}

/**
 * The beginning of a file: its first line, and whether the second one is an `again` line. Undefined
 * while that is not there. A first line that is too long for a segment is cut: it is of a foreign
 * file.
 */
async function readBeginning(
  handle: FileHandle,
): Promise<{ readonly line: string; readonly isSecondTry: boolean } | undefined> {
  for (let length = 4096; ; length = Math.min(length * 8, MAX_FIRST_LINE_BYTES)) {
    const bytes = await readAt(handle, 0, length);
    const end = bytes.indexOf(LF);
    if (end !== -1) {
      const line = bytes.toString("utf8", 0, end);
      const next = await readAt(handle, end + 1, AGAIN.length);
      return { line, isSecondTry: next.equals(AGAIN) };
    }
    if (bytes.length < length) return undefined;
    if (length === MAX_FIRST_LINE_BYTES)
      return { line: bytes[0] === OPENING_BRACE ? "{" : "", isSecondTry: false };
  }
}

const OPENING_BRACE = 0x7b;
const NO_SEGMENT: Head = {
  foreign: false,
  isReadable: true,
  isSecondTry: false,
  stream: "",
  vkey: null,
  refs: [],
  settled: undefined,
};
const AGAIN = Buffer.from(prefixOf("again"));

function parseHead(line: string, isSecondTry: boolean): Head {
  const first = readFirstLine(line);
  if (first.kind === "foreign") return { ...NO_SEGMENT, foreign: true, isReadable: line !== "" };
  // A malformed line, or one of a later version, is not acted on: the file is never removed or
  // shipped, since no check of it succeeds.
  if (first.kind !== "segment") return { ...NO_SEGMENT, isSecondTry };
  const { stream, vkey, prev, seen, settled } = first.open;
  return {
    foreign: false,
    isReadable: true,
    isSecondTry,
    stream,
    vkey,
    refs: prev === null ? seen : [prev, ...seen],
    settled,
  };
}

/** Reads backwards, a window at a time, until a checkpoint line is complete. */
async function readTail(handle: FileHandle, file: string): Promise<Tail | undefined> {
  const { size } = await handle.stat();
  let window = 4096;
  for (let end = size; end > 0 && size - end < MAX_TAIL_BYTES; window = TAIL_WINDOW_BYTES) {
    const start = Math.max(0, end - window);
    // A line that begins in this window is read whole, where it can be a checkpoint.
    const bytes = await readAt(handle, start, Math.min(end + MAX_CHECKPOINT_BYTES, size) - start);
    const lines = splitLines(bytes).slice(start === 0 ? 0 : 1);
    const at = lines.findLastIndex((line) => line.indexOf(CHECKPOINT_PREFIX) === 0);
    const line = lines[at];
    const claim = line && claimOf(line.toString(), file);
    if (claim) {
      const behind = line.byteOffset - bytes.byteOffset + line.length + 1;
      const closed = closedCalls(lines[at - 1]?.toString());
      return { ...claim, end: start + behind, closedCalls: closed };
    }
    // The line feed before a line lies in the window before it: overlap by that one byte.
    end = start === 0 ? 0 : start + 1;
  }
  return undefined;
}

/** Number of calls in a `segment.close` line; undefined for any other line. */
function closedCalls(line: string | undefined): number | undefined {
  const close = line === undefined ? undefined : readLineOf(line, "segment.close");
  return close && close.entries - (close.linked ?? 0);
}

/** The state that a checkpoint line claims; undefined for another line. It is not verified here. */
function claimOf(line: string, file: string): Omit<Tail, "closedCalls" | "end"> | undefined {
  const { note, checkpoint } = readCheckpointLine(line) ?? {};
  return (
    checkpoint &&
    note && {
      ref: { file, size: checkpoint.size, root: checkpoint.root },
      origin: checkpoint.origin,
      note,
    }
  );
}
