// A continued export: the sealed entries of a directory, each once, appended to a file.
import { constants, createReadStream } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { eachLine, LineSplitter, parseSegmentName } from "@ai-audit/core/format";
import { EXIT, Failure, systemFailure } from "../failure.ts";
import { syncFile } from "../output/new-files.ts";
import { type Cursor, type Offsets, readCursor, writeCursor } from "./cursor.ts";

/** Source and target of the export. */
export interface FollowOptions {
  readonly directory: string;
  readonly output: string;
  readonly cursor: string;
  /** Format and options, as the cursor keeps them. */
  readonly exported: string;
  /**
   * The text to write for an entry's line; empty for one that is not exported. Always the same for
   * the same line.
   */
  readonly textOf: (line: string) => string;
}

/**
 * Bytes of the log in one batch, so that memory is bounded whatever the log's size. One commit is
 * never divided.
 */
const BATCH_BYTES = 8 * 2 ** 20;

/**
 * Appends the entries that are new since the cursor. Only sealed entries are taken: lines behind
 * the last checkpoint of a file may still be superseded. Resolves to the number of entries written.
 *
 * A batch is written in three steps, each durable before the next: the cursor names the batch, the
 * output gets it, the cursor confirms it. After a crash the named batch is made again from the same
 * bytes, and its missing part is appended.
 */
export async function exportNew(options: FollowOptions): Promise<number> {
  const { cursor: path, exported, output } = options;
  const handle = await openOutput(output);
  try {
    let cursor = readCursor(path, exported) ?? (await emptyCursor(exported, handle));
    let entries = 0;
    if (cursor.next !== undefined) {
      const batch = await readBatch(options, cursor.done, cursor.next);
      entries += batch.entries;
      cursor = await writeBatch(handle, batch.text, cursor, path);
    }
    for (;;) {
      const next = await nextOffsets(options.directory, cursor.done);
      if (next === undefined) return entries;
      const batch = await readBatch(options, cursor.done, next);
      cursor = { ...cursor, next, output: await stateOf(handle) };
      await writeCursor(path, cursor);
      entries += batch.entries;
      cursor = await writeBatch(handle, batch.text, cursor, path);
    }
  } finally {
    await handle.close();
  }
}

async function openOutput(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;
  return open(path, flags, 0o600).catch((cause: unknown) => {
    const failure = systemFailure(cause, path);
    throw new Failure(
      EXIT.cannotCreate,
      failure?.message ?? `cannot be written: ${path}`,
      failure?.hint,
      { cause },
    );
  });
}

async function emptyCursor(exported: string, handle: FileHandle): Promise<Cursor> {
  return { v: 1, export: exported, done: {}, output: await stateOf(handle) };
}

async function stateOf(handle: FileHandle): Promise<Cursor["output"]> {
  const { ino, size } = await handle.stat();
  return { inode: ino, bytes: size };
}

/** Appends the missing part of a batch to the output, and confirms the batch. */
async function writeBatch(
  handle: FileHandle,
  text: string,
  { output, next = {}, ...cursor }: Cursor,
  path: string,
): Promise<Cursor> {
  const bytes = Buffer.from(text);
  const { ino, size } = await handle.stat();
  // The output was moved away in the middle of a batch: the new file gets the whole batch.
  const written = ino === output.inode ? Math.max(0, size - output.bytes) : 0;
  await handle.appendFile(bytes.subarray(written));
  await syncFile(handle);
  const confirmed = { ...cursor, done: next, output: await stateOf(handle) };
  await writeCursor(path, confirmed);
  return confirmed;
}

/** The offsets after the next batch; undefined if no file has new sealed lines. */
async function nextOffsets(directory: string, done: Offsets): Promise<Offsets | undefined> {
  const next: Record<string, number> = {};
  let budget = BATCH_BYTES;
  let isNew = false;
  const files = (await readdir(directory)).filter((file) => parseSegmentName(file) !== undefined);
  for (const file of files.toSorted()) {
    const from = done[file] ?? 0;
    next[file] = from;
    const size = await sizeOf(join(directory, file));
    if (size === undefined) delete next[file]; // retention removed it
    if (size === undefined || size <= from || budget <= 0) continue;
    const to = await lastSealed(join(directory, file), from, size, budget);
    if (to === from) continue;
    next[file] = to;
    budget -= to - from;
    isNew = true;
  }
  return isNew ? next : undefined;
}

/** Bytes of a file; undefined when it is gone. Any other failure ends the export: nothing is skipped. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

const CHECKPOINT = Buffer.from('{"type":"checkpoint",');

/**
 * The offset behind the last checkpoint up to `size`, or behind the first one that fills the
 * budget.
 */
async function lastSealed(
  path: string,
  from: number,
  size: number,
  budget: number,
): Promise<number> {
  let sealed = from;
  const splitter = new LineSplitter();
  for await (const chunk of createReadStream(path, { start: from, end: size - 1 })) {
    for (const block of splitter.push(asBuffer(chunk))) {
      eachLine(block, (bytes, start, end) => {
        if (sealed - from >= budget) return;
        if (bytes.compare(CHECKPOINT, 0, CHECKPOINT.length, start, start + CHECKPOINT.length) === 0)
          sealed = from + block.offset + (end + 1 - block.start);
      });
    }
    if (sealed - from >= budget) break;
  }
  return sealed;
}

/**
 * The text of a batch, file by file in the order of their names: always the same for the same
 * offsets.
 */
async function readBatch(
  { directory, textOf }: FollowOptions,
  done: Offsets,
  next: Offsets,
): Promise<{ readonly text: string; readonly entries: number }> {
  const texts: string[] = [];
  for (const file of Object.keys(next).toSorted()) {
    const [from, to] = [done[file] ?? 0, next[file] ?? 0];
    if (to <= from) continue;
    const splitter = new LineSplitter();
    const stream = createReadStream(join(directory, file), { start: from, end: to - 1 });
    for await (const chunk of stream) {
      for (const block of splitter.push(asBuffer(chunk))) {
        eachLine(block, (bytes, start, end) => {
          const text = textOf(bytes.toString("utf8", start, end));
          if (text !== "") texts.push(text);
        });
      }
    }
  }
  return { text: texts.join(""), entries: texts.length };
}

function asBuffer(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}
