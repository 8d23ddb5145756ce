// Proofs of entries, for a receiver who has only a proof's text and trusted keys. Over 300 lines:
// proofs of one segment are made in one pass over it.
import { AuditError, AuditInputError } from "../errors.ts";
import { timeOfId } from "../format/id.ts";
import { AuditPaths } from "../seal/audit-paths.ts";
import { CHECKPOINT_PREFIX } from "../format/control-line.ts";
import { eachLine, LineSplitter } from "../format/lines.ts";
import { idOf } from "./locate.ts";
import type { LogSource } from "./log-source.ts";
import { leafHashInPlace, MerkleTree, type TreeState } from "../seal/merkle.ts";
import { readFirstLine, readLineOf } from "../format/read-control-line.ts";
import { dayOfSegment, segmentDay } from "../format/segment-name.ts";
import { type Checkpoint, parseCheckpoint, parseNote } from "../seal/note.ts";
import { formatTlogProof } from "../seal/tlog-proof.ts";
import { DAY_MS } from "../time.ts";

/** The proof of an entry, or why there is none. */
export type EntryProof = ProvenEntry | UnprovenEntry;

/** The checkpoints that proofs lead to. */
export interface ProveOptions {
  /**
   * `first`: the first checkpoint that covers the entry. `last`: the last one of its file, so that
   * the proofs of many entries share one signature and most of their nodes. A function: the first
   * one that it accepts, or else the last one.
   * @default "first"
   */
  readonly checkpoint?: "first" | "last" | ((checkpoint: Checkpoint) => boolean);
}

type WantedCheckpoint = NonNullable<ProveOptions["checkpoint"]>;

/** An entry and its proof. */
export interface ProvenEntry {
  readonly id: string;
  /**
   * C2SP tlog-proof: the entry's line as extra data, its index, its audit path, a checkpoint that
   * covers it.
   */
  readonly proof: string;
  /**
   * The key that the entry's segment names; null when it is not signed. Its presence there is no
   * reason to trust it.
   */
  readonly vkey: string | null;
}

/** An entry without a proof. */
export interface UnprovenEntry {
  readonly id: string;
  readonly proof: undefined;
  readonly reason: "no such entry" | "no checkpoint covers it";
}

/**
 * The proof of one entry; undefined when the log has no such entry. See `proveEntriesIn`.
 * @throws {AuditInputError} `AUDIT_INPUT_INVALID` when `id` cannot be one.
 * @throws {AuditError} `AUDIT_READ_FAILED` when the log cannot be read, or no checkpoint covers the
 * entry.
 */
export async function proveEntryIn(source: LogSource, id: string): Promise<string | undefined> {
  requireId(id);
  for await (const found of proveEntriesIn(source, [id])) return proofOf(found);
  return undefined;
}

/** @throws {AuditInputError} `AUDIT_INPUT_INVALID` for what cannot be the id of an entry. */
export function requireId(id: string): void {
  if (!/^[0-9a-f-]{36}$/.test(id))
    throw new AuditInputError("An entry id has 36 characters: 0-9, a-f and -");
}

/**
 * The proof; undefined for an entry that does not exist. Throws `AUDIT_READ_FAILED` for one without
 * a seal.
 */
export function proofOf(found: EntryProof): string | undefined {
  if (found.proof !== undefined || found.reason === "no such entry") return found.proof;
  throw new AuditError("AUDIT_READ_FAILED", `No checkpoint covers entry ${found.id}`);
}

/**
 * The proofs of entries, in the order in which the log's files hold them, then the entries that
 * could not be proven. Each file is read once, those of the ids' days first, and only as far as
 * needed; memory grows with the number of ids and with one commit.
 *
 * The log is not verified here: `checkProof` does that, for the receiver of a proof.
 * @throws {AuditError} `AUDIT_READ_FAILED` when the log cannot be read.
 */
export async function* proveEntriesIn(
  source: LogSource,
  ids: Iterable<string>,
  { checkpoint = "first" }: ProveOptions = {},
): AsyncGenerator<EntryProof, void, void> {
  const search = new Search(ids);
  try {
    for (const file of await filesLikelyFirst(source, search)) {
      if (search.mayBeIn(file)) yield* readProofs(source.read(file), search, checkpoint);
    }
  } catch (error) {
    if (AuditError.isInstance(error)) throw error;
    throw new AuditError("AUDIT_READ_FAILED", "The log could not be read", { cause: error });
  }
  yield* search.unproven();
}

/** The files of the ids' days, by name, then the others. */
async function filesLikelyFirst(source: LogSource, search: Search): Promise<string[]> {
  const readable = (await source.files()).filter(({ oddity }) => oddity?.isReadable !== false);
  const names = readable.map(({ file }) => file).toSorted();
  return [
    ...names.filter((file) => search.isLikelyIn(file)),
    ...names.filter((file) => !search.isLikelyIn(file)),
  ];
}

/** Ids whose proof is not found yet. */
class Search {
  readonly #unseen: Set<string>;
  /** Found without a seal. */
  readonly #unsealed = new Set<string>();
  /** UTC days whose files probably hold them, `YYYYMMDD`. */
  readonly #days = new Set<string>();
  /** An id of the Python original holds no time. */
  readonly #isOfAnyDay: boolean;

  constructor(ids: Iterable<string>) {
    this.#unseen = new Set(ids);
    const times = Array.from(this.#unseen, timeOfId);
    this.#isOfAnyDay = times.includes(undefined);
    for (const time of times) {
      if (time === undefined) continue;
      // A commit at midnight may have put the entry into the next day's file.
      for (const at of [time, time + DAY_MS]) this.#days.add(segmentDay(new Date(at)));
    }
  }

  get isOver(): boolean {
    return this.#unseen.size === 0 && this.#unsealed.size === 0;
  }

  isLikelyIn(file: string): boolean {
    return this.#isOfAnyDay || this.#days.has(dayOfSegment(file) ?? "");
  }

  /**
   * A likely file may hold the sealed copy of an entry found unsealed; other files are searched
   * only for entries not found yet.
   */
  mayBeIn(file: string): boolean {
    return this.#unseen.size > 0 || (this.#unsealed.size > 0 && this.isLikelyIn(file));
  }

  /** Whether this entry is looked for. */
  meets(id: string): boolean {
    return this.#unseen.has(id) || this.#unsealed.has(id);
  }

  noteFound(id: string): void {
    if (this.#unseen.delete(id)) this.#unsealed.add(id);
  }

  noteProven(id: string): void {
    this.#unsealed.delete(id);
  }

  *unproven(): Generator<UnprovenEntry, void, void> {
    for (const id of this.#unsealed)
      yield { id, proof: undefined, reason: "no checkpoint covers it" };
    for (const id of this.#unseen) yield { id, proof: undefined, reason: "no such entry" };
  }
}

async function* readProofs(
  chunks: AsyncIterable<Buffer>,
  search: Search,
  wanted: WantedCheckpoint,
): AsyncGenerator<ProvenEntry, void, void> {
  const splitter = new LineSplitter();
  const reader = new ProofReader(search, wanted);
  for await (const chunk of chunks) {
    for (const block of splitter.push(chunk)) {
      eachLine(block, (bytes, start, end) => {
        reader.line(bytes, start, end);
      });
    }
    yield* reader.take();
    if (search.isOver) return;
  }
  reader.end();
  yield* reader.take();
}

/** `{"id":"`, 36 characters and the closing quote. */
const ID_BYTES = 44;
/** Longer than any commit: a file without checkpoints must not fill the memory. */
const MAX_COMMIT_BYTES = 256 * 2 ** 20;
/** Kept for a file's last checkpoint. With more, the next checkpoint is taken. */
const MAX_WAITING_BYTES = MAX_COMMIT_BYTES / 2;
/** Approximate bytes of a leaf's hash in memory. */
const LEAF_BYTES = 128;

/** An entry that no checkpoint covers yet. */
interface Waiting {
  readonly line: Buffer;
  readonly index: number;
}

/**
 * Reads one file's lines. Keeps leaves only from the first entry wanted up to the next checkpoint,
 * or up to the file's end for its last one.
 */
class ProofReader {
  readonly #search: Search;
  readonly #wanted: WantedCheckpoint;
  /** The latest checkpoint since the first entry that waits. */
  #latest: { readonly line: string; readonly size: number } | undefined;
  readonly #tree = new MerkleTree();
  #vkey: string | null = null;
  #proven: ProvenEntry[] = [];
  readonly #waiting = new Map<string, Waiting>();
  /** The tree before the first entry that waits, and the leaves since then. */
  #before: TreeState = { size: 0, subtrees: [] };
  #leaves: Buffer[] = [];
  #keptBytes = 0;

  constructor(search: Search, wanted: WantedCheckpoint) {
    this.#search = search;
    this.#wanted = wanted;
  }

  /** Proves the entries that wait for the file's last checkpoint. */
  end(): void {
    if (this.#latest !== undefined) this.#prove(this.#latest);
  }

  /** The proofs that are complete since the last call. */
  take(): readonly ProvenEntry[] {
    const proven = this.#proven;
    this.#proven = [];
    return proven;
  }

  line(bytes: Buffer, start: number, end: number): void {
    const beginning = bytes.toString("latin1", start, Math.min(end, start + ID_BYTES));
    if (beginning.startsWith(CHECKPOINT_PREFIX)) {
      if (this.#waiting.size === 0) return;
      this.#latest = { line: bytes.toString("utf8", start, end), size: this.#tree.size };
      if (this.#keptBytes > MAX_WAITING_BYTES || this.#isWanted(this.#latest.line))
        this.#prove(this.#latest);
      return;
    }
    if (this.#tree.size === 0) this.#vkey = vkeyOf(bytes.toString("utf8", start, end));
    const id = idOf(beginning);
    if (id !== undefined && this.#search.meets(id))
      this.#await(id, Buffer.from(bytes.subarray(start, end)));
    const leaf = leafHashInPlace(bytes, start, end);
    this.#tree.append(leaf);
    if (this.#waiting.size > 0) this.#keep(leaf);
  }

  #isWanted(checkpointLine: string): boolean {
    if (typeof this.#wanted === "string") return this.#wanted === "first";
    const checkpoint = parseCheckpoint(parseNote(noteOf(checkpointLine))?.text ?? "");
    return checkpoint !== undefined && this.#wanted(checkpoint);
  }

  #await(id: string, line: Buffer): void {
    this.#search.noteFound(id);
    if (this.#waiting.has(id)) return; // the first one counts
    if (this.#waiting.size === 0) this.#before = this.#tree.state();
    this.#waiting.set(id, { line, index: this.#tree.size });
    this.#keptBytes += line.length;
  }

  #keep(leaf: Buffer): void {
    this.#leaves.push(leaf);
    this.#keptBytes += LEAF_BYTES;
    if (this.#keptBytes > MAX_COMMIT_BYTES) this.#dropKept();
  }

  #prove({ line: checkpointLine, size }: { readonly line: string; readonly size: number }): void {
    const note = noteOf(checkpointLine);
    const paths = new AuditPaths(this.#leaves.slice(0, size - this.#before.size), this.#before);
    for (const [id, { line, index }] of this.#waiting) {
      if (index >= size) continue;
      const path = paths.path(index);
      const proof = formatTlogProof({ extra: line, index, path, note });
      this.#proven.push({ id, proof, vkey: this.#vkey });
      this.#search.noteProven(id);
    }
    this.#dropKept();
  }

  #dropKept(): void {
    this.#waiting.clear();
    this.#leaves = [];
    this.#keptBytes = 0;
    this.#latest = undefined;
  }
}

function noteOf(checkpointLine: string): string {
  return readLineOf(checkpointLine, "checkpoint")?.note ?? "";
}

function vkeyOf(firstLine: string): string | null {
  const first = readFirstLine(firstLine);
  return first.kind === "segment" ? first.open.vkey : null;
}
