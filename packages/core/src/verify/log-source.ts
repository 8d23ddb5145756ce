// The verifier's source of files. A directory here; other places of a log implement the same
// interface.
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { syncFileData } from "../files.ts";
import { hasCode } from "../system-error.ts";
import { parseSegmentName } from "../format/segment-name.ts";
import type { SegmentReport } from "./segment-report.ts";
import type { Pin, Problem } from "./verification.ts";

/** One file of a log. */
export interface SourceFile {
  /** Name without a directory. */
  readonly file: string;
  readonly bytes: number;
  /** Set where it is not a regular file. */
  readonly oddity?: Oddity;
}

/** A thing with the name of a log's file that is not a regular file. */
export interface Oddity {
  /** Its kind in words: `a directory`, say. */
  readonly what: string;
  /** Whether it leads to a file. */
  readonly isReadable: boolean;
}

/** The place behind a checkpoint: the bytes, and the leaves that are before it. */
export interface CheckpointPlace {
  readonly offset: number;
  readonly size: number;
}

/** Read access to the files of a log. */
export interface LogSource {
  /** The files that are, or could be, segments: everything called `*.jsonl`. In no order. */
  files(): Promise<SourceFile[]>;
  /**
   * The bytes of a file, in chunks. A chunk is valid until the next one is asked for; the reader
   * may write into it.
   */
  read(file: string): AsyncIterable<Buffer>;
  /**
   * The bytes of a file behind a checkpoint of it; undefined where it must be read whole, as
   * something about it is wrong. Absent where files are read whole alone.
   */
  readFrom?(file: string, checkpoint: CheckpointPlace): AsyncIterable<Buffer> | undefined;
  /** Makes the bytes of a file durable. Absent where they are. */
  sync?(file: string): Promise<void>;
  /**
   * The present size of a file in bytes; undefined when it is gone. Absent where a listing is
   * final, so that waiting for a writer is useless.
   */
  sizeOf?(file: string): Promise<number | undefined>;
  /**
   * Whether a failure is about the one file that was read: the others can still be judged. Absent
   * where every failure is.
   */
  isOfFile?(error: unknown): boolean;
  /** Names of other files beside the log's. Absent where none can exist. */
  otherNames?(): Promise<readonly string[]>;
  /** Facts about the place that could not be read. @default none */
  readonly limits?: readonly SourceLimit[];
  /** Facts that only the log's place knows. Absent for a directory, which knows only files. */
  readonly place?: SourcePlace;
}

/** A fact about a place that could not be read. */
export interface SourceLimit {
  /** In plain words. */
  readonly message: string;
  /** Whether the verdict is not proven because of it. */
  readonly counts: boolean;
}

/** Facts that a place other than a directory knows of its files beyond their bytes. */
export interface SourcePlace {
  /**
   * This log among several in one place: lines about it in another one call a file `<name>/<file>`.
   * Empty for none.
   */
  readonly name: string;
  /** The name of a file in the verdict. */
  labelOf(file: string): string;
  /** The object of a line, in a file that is made of several objects. */
  placeOf(file: string, line: number): string | undefined;
  /**
   * The place's own findings about a file, once it was read: also wrong metadata beside the bytes.
   */
  problemsOf(report: SegmentReport): readonly Problem[];
  /**
   * Whether files of a directory are kept here permanently: a file that the directory moved must be
   * here.
   */
  readonly isArchive: boolean;
  /** Whether a file that others refer to may still arrive here. */
  isAwaited(file: string): boolean;
  /** Whether a pin is about this log. */
  isOfPin(pin: Pin): boolean;
}

/** Enough for a first line, which is read from every file before any file is checked. */
const FIRST_CHUNK_BYTES = 64 * 1024;
/** Larger chunks measured no faster. */
const CHUNK_BYTES = 1024 * 1024;

/** As many as libuv's pool has threads: one after the other takes twice the time. */
const LOOKS_AT_ONCE = 4;

/** A log in a directory. Its methods reject with the system's error (`ENOENT`, `EACCES` …). */
export function directorySource(path: string): LogSource {
  return {
    async files() {
      const files: SourceFile[] = [];
      const names = (await readdir(path)).filter((file) => file.endsWith(".jsonl"));
      for (let at = 0; at < names.length; at += LOOKS_AT_ONCE) {
        const some = names.slice(at, at + LOOKS_AT_ONCE);
        for (const listed of await Promise.all(some.map((file) => look(path, file))))
          if (listed !== undefined) files.push(listed);
      }
      return files;
    },
    read: (file) => readChunks(join(path, file)),
    readFrom: (file, { offset }) => readChunks(join(path, file), offset),
    async sync(file) {
      const handle = await open(join(path, file), OPEN_FLAGS);
      try {
        await syncFileData(handle);
      } finally {
        await handle.close();
      }
    },
    otherNames: async () => (await readdir(path)).filter((name) => name.startsWith("audit_")),
    sizeOf: async (file) => (await orGone(stat(join(path, file))))?.size,
  };
}

/**
 * The thing under a name, without opening it; undefined when it is gone, or cannot come from a
 * writer: a directory `old.jsonl`.
 */
async function look(path: string, file: string): Promise<SourceFile | undefined> {
  const stats = await orGone(lstat(join(path, file)));
  if (stats === undefined) return undefined;
  if (stats.isFile()) return { file, bytes: stats.size };
  if (stats.isSymbolicLink()) {
    const target = await stat(join(path, file)).catch(() => undefined); // a loop or an unreachable target: not readable
    const isReadable = target?.isFile() === true;
    const what = `a symbolic link${isReadable ? ", so that what is in it can change elsewhere" : " to no file"}`;
    return { file, bytes: isReadable ? target.size : 0, oddity: { what, isReadable } };
  }
  if (parseSegmentName(file) === undefined) return undefined;
  return { file, bytes: 0, oddity: { what: kindOf(stats), isReadable: false } };
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a named pipe";
  return stats.isSocket() ? "a socket" : "a device";
}

async function orGone(stats: Promise<Stats>): Promise<Stats | undefined> {
  try {
    return await stats;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Opening a named pipe waits for a writer, unless told not to. Windows knows neither. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

async function* readChunks(path: string, from = 0): AsyncGenerator<Buffer, void, void> {
  const handle = await open(path, OPEN_FLAGS);
  try {
    // Another thing replaced it since the listing: it counts as gone.
    if (!(await handle.stat()).isFile())
      throw Object.assign(new Error(`${path} is not a file`), { code: "ENOENT" });
    yield* readAhead(handle, from);
  } finally {
    await handle.close();
  }
}

/** While one chunk is processed, the next is read into the other buffer. */
async function* readAhead(handle: FileHandle, from: number): AsyncGenerator<Buffer, void, void> {
  let at = from;
  const readInto = async (buffer: Buffer): Promise<number> => {
    const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, at);
    at += bytesRead;
    return bytesRead;
  };
  const first = Buffer.allocUnsafe(FIRST_CHUNK_BYTES);
  const bytesRead = await readInto(first);
  if (bytesRead === 0) return;
  yield first.subarray(0, bytesRead);
  let current = Buffer.allocUnsafe(CHUNK_BYTES);
  let spare = Buffer.allocUnsafe(CHUNK_BYTES);
  let length = await readInto(current);
  while (length > 0) {
    const ahead = readInto(spare);
    try {
      yield current.subarray(0, length);
    } finally {
      length = await ahead; // also when the consumer leaves: the handle must not close under the read
    }
    [current, spare] = [spare, current];
  }
}
