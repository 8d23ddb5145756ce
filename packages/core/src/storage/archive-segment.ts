// One file of a directory as a closed segment: what an archive is told about it.
import { createHash } from "node:crypto";
import { recordsCallAgain } from "../entry.ts";
import { segmentDay } from "../integrity/segment-name.ts";
import type { ClosedSegment } from "./archive.ts";
import type { Directory, ListedFile } from "./directory.ts";
import { notePruneLine } from "./file-prune.ts";
import { readWhole } from "./file-read.ts";
import { readAt } from "./random-access.ts";
import { idOfLine } from "./segment-search.ts";

const DAY_MS = 86_400_000;
const CHUNK_BYTES = 2 ** 20;

/** A closed segment, and the lines in it that authorise removals, by the file they are about. */
export interface ExaminedSegment {
  readonly segment: ClosedSegment;
  readonly pruneLines: ReadonlyMap<string, string>;
}

/**
 * Whether nobody will write to a file any more: it was ended in order, or a crash left it. That is what a file is taken
 * for that nobody has written to for a day, and whose own day and the one after it are past.
 */
export async function isClosed(directory: Directory, { file, day }: ListedFile, now: number): Promise<boolean> {
  const head = await directory.head(file);
  if (!head || head.foreign) return false; // nobody knows who writes to it
  const tail = await directory.tail(file);
  if (!tail || tail.closedCalls !== undefined) return tail !== undefined;
  return day < segmentDay(new Date(now - DAY_MS)) && (await lastWritten(directory, file)) < now - DAY_MS;
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

/** Reads a file through; undefined when it is gone. */
export async function examineSegment(
  directory: Directory,
  { file, day }: ListedFile,
  directoryId: string,
): Promise<ExaminedSegment | undefined> {
  const [head, tail] = [await directory.head(file), await directory.tail(file)];
  const digest = await digestOf(directory, file);
  if (!head || !tail || !digest) return undefined;
  const pruneLines = new Map<string, string>();
  const ids = { first: "", last: "" };
  let entries = 0;
  let linked = 0;
  for await (const lines of readWhole(directory, file)) {
    for (const line of lines) {
      const id = idOfLine(line);
      if (id === undefined) {
        notePruneLine(line, pruneLines);
        continue;
      }
      entries += 1;
      if (line.includes('"same_call_as":') && recordsCallAgain(line.toString())) linked += 1;
      ids.first ||= id;
      ids.last = id;
    }
  }
  const segment = {
    file,
    directory: directoryId,
    day,
    stream: head.stream,
    ...digest,
    ref: tail.ref,
    entries,
    linked,
    firstId: ids.first,
    lastId: ids.last,
    read: (from: number, to: number) => readRange(directory, file, from, to),
  };
  return { segment, pruneLines };
}

/** Size and SHA-256 of a file's bytes; undefined when it is gone. */
export async function digestOf(
  directory: Directory,
  file: string,
): Promise<{ readonly bytes: number; readonly sha256: string } | undefined> {
  const handle = await directory.open(file);
  if (!handle) return undefined;
  try {
    const sha256 = createHash("sha256");
    let bytes = 0;
    for (;;) {
      const chunk = await readAt(handle, bytes, CHUNK_BYTES);
      if (chunk.length === 0) return { bytes, sha256: sha256.digest("hex") };
      sha256.update(chunk);
      bytes += chunk.length;
    }
  } finally {
    await handle.close();
  }
}

async function readRange(directory: Directory, file: string, from: number, to: number): Promise<Buffer> {
  const handle = await directory.open(file);
  if (!handle) throw new Error(`${file} was removed while it was shipped`);
  try {
    return await readAt(handle, from, to - from);
  } finally {
    await handle.close();
  }
}
