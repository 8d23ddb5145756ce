// One file of a directory, read through once: its entries, and whether it matches its seal and the
// records of it. Retention and the shipper rely on this.
import type { FileHandle } from "node:fs/promises";
import {
  type ConsistencyProof,
  CONTROL_PREFIX,
  type SegmentRef,
} from "../../format/control-line.ts";
import { lineToEntry } from "../../format/entry-line.ts";
import { idOfLine, timeOfId } from "../../format/id.ts";
import { eachLine, LineSplitter } from "../../format/lines.ts";
import { segmentDay } from "../../format/segment-name.ts";
import { SegmentDigest } from "../../retention/segment-digest.ts";
import { checkRecorded, checkSegment, isSound } from "../../retention/trust.ts";
import { leafHash, MerkleTree } from "../../seal/merkle.ts";
import type { SegmentReport } from "../../verify/segment-report.ts";
import { type Directory, type Head, type ListedFile, readChunks } from "./directory.ts";
import { DAY_MS } from "../../time.ts";

/** A file's facts and their proofs. */
export interface ExaminedFile {
  readonly file: string;
  readonly day: string;
  /** Undefined while the file has no complete first line. */
  readonly head: Head | undefined;
  /** Bytes, SHA-256, entries and their ids. */
  readonly digest: FileDigest;
  /** The state sealed in it; undefined when nothing is. */
  readonly sealed: SegmentRef | undefined;
  /** Proofs that it began with the smaller states on record. */
  readonly since: readonly ConsistencyProof[];
  /**
   * Whether its sealed part is unaltered and agrees with every record of it. Of a foreign file: no
   * record names it.
   */
  readonly isSound: boolean;
  /** Whether a trusted key sealed it, and it is unaltered. */
  readonly isTrusted: boolean;
  /** Undefined for a foreign file. */
  readonly report: SegmentReport | undefined;
}

/** A digest that also knows the times of the entries, the Python original's included. */
export class FileDigest extends SegmentDigest {
  /** Entries with a time. */
  dated = 0;
  /**
   * Times of the oldest and newest entry, milliseconds since the epoch; undefined when there is
   * none.
   */
  from: number | undefined;
  to: number | undefined;

  override add(line: Buffer): void {
    super.add(line);
    const time = timeOfEntry(line);
    if (time === undefined) return;
    this.dated += 1;
    this.from = Math.min(this.from ?? time, time);
    this.to = Math.max(this.to ?? time, time);
  }
}

/**
 * Reads a file through; undefined when it is gone, or when an entry in it is not older than
 * `before`. The file stays open meanwhile: another process may remove it at any time, and half of
 * it does not match its seal.
 *
 * @param recorded states of the file on record, as far as they are proven
 */
export async function examineFile(
  directory: Directory,
  { file, day }: ListedFile,
  recorded: readonly SegmentRef[],
  before: number = Infinity,
): Promise<ExaminedFile | undefined> {
  const handle = await directory.open(file);
  if (!handle) return undefined;
  try {
    const head = await directory.head(file);
    const digest = new FileDigest();
    const chunks = digest.through(readChunks(handle));
    const old = untilTime(chunks, digest, before);
    const proof = head && !head.foreign ? await prove(file, head, recorded, old) : undefined;
    if (!proof) for await (const chunk of old) void chunk;
    if ((digest.to ?? -Infinity) >= before) return undefined;
    const examined = {
      file,
      day,
      head,
      digest,
      sealed: proof?.sealed,
      since: proof?.since ?? [],
      isSound: proof ? proof.isSound : recorded.every(({ size }) => size === 0),
      isTrusted: head !== undefined && proof?.isWhole === true && directory.actor.trusts(head.vkey),
      report: proof?.report,
    };
    // A file that is gone by now was removed by another process, and its head may not have been
    // readable any more.
    const isClear = examined.isSound && head !== undefined;
    return isClear || (await directory.sizeOf(file)) !== undefined ? examined : undefined;
  } finally {
    await handle.close();
  }
}

/** Ends early once an entry is not older than `before`. */
async function* untilTime(
  chunks: AsyncIterable<Buffer>,
  digest: FileDigest,
  before: number,
): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of chunks) {
    if ((digest.to ?? -Infinity) >= before) return;
    yield chunk;
  }
}

interface Proof {
  readonly sealed: SegmentRef | undefined;
  readonly since: readonly ConsistencyProof[];
  readonly isSound: boolean;
  readonly isWhole: boolean;
  readonly report: SegmentReport;
}

async function prove(
  file: string,
  { vkey }: Head,
  recorded: readonly SegmentRef[],
  chunks: AsyncIterable<Buffer>,
): Promise<Proof> {
  const { report, since } = await checkRecorded(file, vkey, chunks, recorded);
  const { size, root } = report.sealed;
  const isAsRecorded = recorded.every(
    (ref) => ref.size === 0 || report.roots.get(ref.size) === ref.root,
  );
  if (size > 0) {
    const isWhole = isSound(report);
    return {
      sealed: { file, size, root },
      since,
      isSound: isWhole && isAsRecorded,
      isWhole,
      report,
    };
  }
  const isTampered = report.problems.some(({ state }) => state === "TAMPERED");
  const diedEarly = report.kind === "segment" && !report.broken && !isTampered;
  return { sealed: undefined, since, isSound: diedEarly && isAsRecorded, isWhole: false, report };
}

/**
 * The state that a removal line names: the sealed state of a file or, without a seal, the tree of
 * its whole lines.
 */
export async function stateToRemove(
  file: string,
  head: Head | undefined,
  read: () => AsyncIterable<Buffer>,
): Promise<SegmentRef> {
  if (head && !head.foreign) {
    const report = await checkSegment(file, head.vkey, read(), new Set());
    const { size, root } = report.sealed;
    if (size > 0) return { file, size, root };
  }
  const tree = new MerkleTree();
  const lines = new LineSplitter();
  for await (const chunk of read()) {
    for (const block of lines.push(chunk)) {
      eachLine(block, (bytes, start, end) => tree.append(leafHash(bytes.subarray(start, end))));
    }
  }
  return { file, size: tree.size, root: tree.root().toString("base64") };
}

/**
 * Whether a file's writer has ended it: in order, or by a crash. A crash is assumed when the file
 * has not been written to for a day, and its own day and the next one are past.
 */
export async function isClosed(
  directory: Directory,
  { file, day }: ListedFile,
  now: number,
): Promise<boolean> {
  const head = await directory.head(file);
  if (!head || head.foreign) return false; // its writer is unknown
  const tail = await directory.tail(file);
  if (!tail || tail.closedCalls !== undefined) return tail !== undefined;
  return (
    day < segmentDay(new Date(now - DAY_MS)) && (await lastWritten(directory, file)) < now - DAY_MS
  );
}

/** Milliseconds since the epoch; Infinity when the file is gone. */
async function lastWritten(directory: Directory, file: string): Promise<number> {
  const handle: FileHandle | undefined = await directory.open(file);
  if (!handle) return Infinity;
  try {
    return (await handle.stat()).mtimeMs;
  } finally {
    await handle.close();
  }
}

/**
 * Milliseconds since the epoch of an entry line, ours or the Python original's; undefined for any
 * other line.
 */
function timeOfEntry(line: Buffer): number | undefined {
  const id = idOfLine(line);
  const time = id === undefined ? undefined : timeOfId(id);
  if (time !== undefined) return time;
  if (line.subarray(0, CONTROL_PREFIX.length).equals(CONTROL)) return undefined;
  const entry = lineToEntry(line.toString());
  const parsed = entry ? Date.parse(entry.timestamp) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}

const CONTROL = Buffer.from(CONTROL_PREFIX);
