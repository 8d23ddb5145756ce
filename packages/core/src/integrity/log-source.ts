// Where the verifier reads from. A directory here; other homes of a log implement the same interface.
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Pin, Problem } from "./verification.ts";

/** One file of a log. */
export interface SourceFile {
  /** Name without a directory. */
  readonly file: string;
  readonly bytes: number;
}

/** Read access to the files of a log. */
export interface LogSource {
  /** The files that are, or could be, segments: everything called `*.jsonl`. In no order. */
  files(): Promise<SourceFile[]>;
  /**
   * The bytes of a file, in chunks. A chunk is valid until the next one is asked for; the reader may write into it.
   */
  read(file: string): AsyncIterable<Buffer>;
  /** What only the log's home can know. Absent for a directory, where a file is a file. */
  readonly home?: SourceHome;
}

/** What a home other than a directory knows of its files beyond their bytes. */
export interface SourceHome {
  /** This log among several in one place: lines about it in another one call a file `<name>/<file>`. Empty for none. */
  readonly name: string;
  /** How a file is called in the verdict. */
  labelOf(file: string): string;
  /** Where a line lies, in a file that is made of several objects. */
  placeOf(file: string, line: number): string | undefined;
  /** What the home found about a file; complete once the file was read. */
  problemsOf(file: string): readonly Problem[];
  /** Whether files of a directory are kept here for good: what it says that it moved here must be here. */
  readonly isArchive: boolean;
  /** Whether a file that is referred to may still be on its way here. */
  isAwaited(file: string): boolean;
  /** Whether a pin is about this log. */
  isOfPin(pin: Pin): boolean;
}

/** Enough for a first line, which is read from every file before any file is checked. */
const FIRST_CHUNK_BYTES = 64 * 1024;
/** Larger chunks measured no faster. */
const CHUNK_BYTES = 1024 * 1024;

/** A log in a directory. Its methods reject with the system's error (`ENOENT`, `EACCES` …). */
export function directorySource(path: string): LogSource {
  return {
    async files() {
      const names = (await readdir(path)).filter((name) => name.endsWith(".jsonl"));
      const files: SourceFile[] = [];
      for (const file of names) {
        const stats = await stat(join(path, file));
        if (stats.isFile()) files.push({ file, bytes: stats.size });
      }
      return files;
    },
    read: (file) => readChunks(join(path, file)),
  };
}

async function* readChunks(path: string): AsyncGenerator<Buffer, void, void> {
  const handle = await open(path, "r");
  try {
    yield* readAhead(handle);
  } finally {
    await handle.close();
  }
}

/** While one chunk is being worked on, the next is on its way into the other buffer. */
async function* readAhead(handle: FileHandle): AsyncGenerator<Buffer, void, void> {
  const first = Buffer.allocUnsafe(FIRST_CHUNK_BYTES);
  const { bytesRead } = await handle.read(first, 0, FIRST_CHUNK_BYTES, null);
  if (bytesRead === 0) return;
  yield first.subarray(0, bytesRead);
  let current = Buffer.allocUnsafe(CHUNK_BYTES);
  let spare = Buffer.allocUnsafe(CHUNK_BYTES);
  let length = (await handle.read(current, 0, CHUNK_BYTES, null)).bytesRead;
  while (length > 0) {
    const ahead = handle.read(spare, 0, CHUNK_BYTES, null);
    try {
      yield current.subarray(0, length);
    } finally {
      length = (await ahead).bytesRead; // also when the consumer leaves: the handle must not close under the read
    }
    [current, spare] = [spare, current];
  }
}
