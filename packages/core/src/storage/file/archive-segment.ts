// One file of a directory as a closed segment: what an archive is told about it.
import type { SegmentRef } from "../../format/control-line.ts";
import { segmentDay } from "../../format/segment-name.ts";
import type { ClosedSegment } from "../../retention/archive.ts";
import type { Directory, ListedFile } from "./directory.ts";
import { readAt } from "../../retention/random-access.ts";
import { readSealed } from "./sealed-file.ts";
import { SegmentDigest } from "../../retention/segment-digest.ts";

const DAY_MS = 86_400_000;

/** A closed segment as it is, and what that proves. */
export interface ExaminedSegment {
  readonly segment: ClosedSegment;
  /** Files that sealed lines in it authorise the removal of. */
  readonly prunedFiles: ReadonlySet<string>;
  /** Whether it is what was sealed, and what our log recorded of it. What is not is neither given away nor removed. */
  readonly isProven: boolean;
}

/**
 * Whether nobody will write to a file any more: it was ended in order, or a crash left it. That is what a file is taken
 * for that nobody has written to for a day, and whose own day and the one after it are past.
 */
export async function isClosed(
  directory: Directory,
  { file, day }: ListedFile,
  now: number,
): Promise<boolean> {
  const head = await directory.head(file);
  if (!head || head.foreign) return false; // nobody knows who writes to it
  const tail = await directory.tail(file);
  if (!tail || tail.closedCalls !== undefined) return tail !== undefined;
  return (
    day < segmentDay(new Date(now - DAY_MS)) && (await lastWritten(directory, file)) < now - DAY_MS
  );
}

/** Milliseconds since the epoch; Infinity when the file is gone. */
async function lastWritten(directory: Directory, file: string): Promise<number> {
  const handle = await directory.open(file);
  if (!handle) return Infinity;
  try {
    return (await handle.stat()).mtimeMs;
  } finally {
    await handle.close();
  }
}

/** Reads a file through; undefined when it is gone. `recorded`: states of it that our log vouches for. */
export async function examineSegment(
  directory: Directory,
  { file, day }: ListedFile,
  directoryId: string,
  recorded: readonly SegmentRef[],
): Promise<ExaminedSegment | undefined> {
  const head = await directory.head(file);
  if (!head || head.foreign) return undefined;
  const digest = new SegmentDigest();
  const chunks = digest.through(directory.chunks(file));
  const { ref, isSound, report } = await readSealed(directory, file, head, recorded, chunks);
  if (digest.bytes === 0) return undefined;
  const segment = {
    file,
    directory: directoryId,
    day,
    stream: head.stream,
    bytes: digest.bytes,
    sha256: digest.sha256(),
    ref: ref ?? { file, size: 0, root: "" },
    entries: digest.entries,
    linked: digest.linked,
    firstId: digest.firstId,
    lastId: digest.lastId,
    read: (from: number, to: number) => readRange(directory, file, from, to),
  };
  const isProven = isSound && ref !== undefined;
  return { segment, prunedFiles: new Set(report.prunes.map((record) => record.file)), isProven };
}

async function readRange(
  directory: Directory,
  file: string,
  from: number,
  to: number,
): Promise<Buffer> {
  const handle = await directory.open(file);
  if (!handle) throw new Error(`${file} was removed while it was shipped`);
  try {
    return await readAt(handle, from, to - from);
  } finally {
    await handle.close();
  }
}
