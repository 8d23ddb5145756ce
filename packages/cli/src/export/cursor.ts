// The cursor of a continued export. It records the progress of writing, so that restarts neither
// repeat nor skip an entry.
import { readFileSync } from "node:fs";
import { isObject } from "@ai-audit/core/format";
import { EXIT, Failure, systemFailure } from "../failure.ts";
import { replaceFile } from "../output/new-files.ts";

/** For each file of the log, how many of its bytes are done. */
export type Offsets = Readonly<Record<string, number>>;

/** The state of an export. */
export interface Cursor {
  readonly v: 1;
  /** Format and options of the export: lines of another export would not fit those written. */
  readonly export: string;
  /** Offsets that are written and durable. */
  readonly done: Offsets;
  /**
   * The end of the batch that is being written from `done`. After a crash it is completed, byte for
   * byte.
   */
  readonly next?: Offsets;
  /** The output file, and its size before that batch. */
  readonly output: { readonly inode: number; readonly bytes: number };
}

/**
 * Reads a cursor; undefined if there is none yet.
 *
 * @throws {Failure} for a file that holds something else, and for the cursor of another export
 */
export function readCursor(path: string, exported: string): Cursor | undefined {
  let cursor: unknown;
  try {
    cursor = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const failure = systemFailure(error, path);
    if (failure?.exitCode === EXIT.missing) return undefined;
    if (failure !== undefined) throw failure;
    throw notACursor(path);
  }
  if (!isCursor(cursor)) throw notACursor(path);
  if (cursor.export === exported) return cursor;
  throw new Failure(
    EXIT.usage,
    `the cursor belongs to another export: ${path}`,
    `it was made with: ${cursor.export}; use another --cursor and --output for other options`,
  );
}

function notACursor(path: string): Failure {
  return new Failure(EXIT.data, `not a cursor: ${path}`, "name a file that does not exist yet");
}

function isCursor(value: unknown): value is Cursor {
  if (!isObject(value)) return false;
  const { v, export: exported, done, next, output } = value;
  return (
    v === 1 &&
    typeof exported === "string" &&
    isOffsets(done) &&
    (next === undefined || isOffsets(next)) &&
    isObject(output) &&
    typeof output["inode"] === "number" &&
    typeof output["bytes"] === "number"
  );
}

function isOffsets(value: unknown): value is Offsets {
  return isObject(value) && Object.values(value).every((offset) => typeof offset === "number");
}

/** Replaces the cursor atomically, and makes it durable. */
export async function writeCursor(path: string, cursor: Cursor): Promise<void> {
  await replaceFile(path, JSON.stringify(cursor));
}
