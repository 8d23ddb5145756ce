// All writing to segment files. A file is made by its one writer and never opened for writing again.
import { constants, fstatSync, statSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import {
  formatSegmentName,
  MAX_SEGMENT_NUMBER,
  parseSegmentName,
} from "../../format/segment-name.ts";
import { lastRemoved } from "./archive-state.ts";
import type { Directory } from "./directory.ts";
import { removeFile, syncFileData } from "../../files.ts";
import { recordedRefs } from "./witnessed.ts";
import { hasCode } from "../../system-error.ts";

/** More is written on the thread pool: the event loop must not wait for 8 MiB. */
const SYNC_WRITE_BYTES = 256 * 1024;
const LOOK_INTERVAL_MS = 1000;

/** A segment file that this process writes. */
export class OwnFile {
  readonly #directory: Directory;
  readonly #handle: FileHandle;
  readonly #sync: boolean;
  readonly name: string;
  #bytes = 0;
  /** `performance.now()` */
  #lookedAt: number = performance.now();

  private constructor(directory: Directory, handle: FileHandle, name: string, sync: boolean) {
    this.#directory = directory;
    this.#handle = handle;
    this.name = name;
    this.#sync = sync;
  }

  /**
   * Makes the next file of a day. `sync`: its name and its content shall survive a power cut. `previous`: the writer's
   * own last file, which may be gone.
   */
  static async create(
    directory: Directory,
    day: string,
    { sync, previous }: { readonly sync: boolean; readonly previous: string | undefined },
  ): Promise<OwnFile> {
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL;
    for (const number of candidates(await freeNumbers(directory, day, previous))) {
      const name = formatSegmentName({ day, number });
      let handle: FileHandle;
      try {
        handle = await open(join(directory.path, name), flags, 0o600);
      } catch (error) {
        if (hasCode(error, "EEXIST")) continue; // somebody else owns that number
        throw error;
      }
      const file = new OwnFile(directory, handle, name, sync);
      try {
        if (sync) await directory.sync();
        return file;
      } catch (error) {
        await file.release();
        throw error;
      }
    }
    throw new Error(`every segment name of ${day} is taken`);
  }

  /** Bytes acknowledged as written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends; resolves when the bytes are as durable as this file promises. */
  async write(bytes: Buffer): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      // One write(2) as a rule. A full disk or a signal can make it short; the rest then says why.
      const written =
        rest.length > SYNC_WRITE_BYTES
          ? (await this.#handle.write(rest)).bytesWritten
          : this.#put(rest);
      rest = rest.subarray(written);
    }
    if (this.#sync) await syncFileData(this.#handle);
    // Bytes in a file that has no name any more are lost. Two microseconds, where a promise is a thread's round trip.
    if (fstatSync(this.#handle.fd).nlink === 0)
      throw new Error(`${this.name} was removed while it was written to`);
    this.#bytes += bytes.length;
  }

  /** A copy into the page cache: 3 µs for 1 KiB, where the way to the thread pool and back takes 40 µs of CPU. */
  #put(bytes: Buffer): number {
    return writeSync(this.#handle.fd, bytes);
  }

  /**
   * Whether another file, or none, has the name now. Asked at most once a second, for a few microseconds: what is
   * acknowledged until then lies in the file that was moved.
   */
  wasMoved(): boolean {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_INTERVAL_MS) return false;
    this.#lookedAt = now;
    const there = statSync(join(this.#directory.path, this.name), {
      bigint: true,
      throwIfNoEntry: false,
    });
    return there?.ino !== fstatSync(this.#handle.fd, { bigint: true }).ino;
  }

  /** What the file holds now, also after a failed write. */
  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** Closes the file; one that never held a byte goes, its number may be taken again. */
  async release(): Promise<void> {
    let empty: boolean;
    try {
      empty = (await this.size()) === 0;
    } finally {
      await this.#handle.close();
    }
    if (empty) await removeFile(join(this.#directory.path, this.name));
  }
}

/**
 * A name is given once: what others recorded of a file that is gone is not true of another in its place. Numbers ascend;
 * where somebody took the last one there is, the lowest free one follows.
 */
async function freeNumbers(
  directory: Directory,
  day: string,
  previous: string | undefined,
): Promise<FreeNumbers> {
  const refs = (await recordedRefs(directory)).map(({ file }) => file);
  const recorded = [...refs, ...(previous === undefined ? [] : [previous])].flatMap(
    (file) => parseSegmentName(file) ?? [],
  );
  const taken = [...(await directory.list()), ...recorded].filter((segment) => segment.day === day);
  const numbers = new Set(taken.map(({ number }) => number));
  const gone = await lastRemoved(directory.path, day); // asked after the listing: it is written before a file goes
  return {
    numbers,
    first: taken.reduce((next, { number }) => Math.max(next, number + 1), gone + 1),
  };
}

interface FreeNumbers {
  readonly numbers: ReadonlySet<number>;
  readonly first: number;
}

function* candidates({ numbers, first }: FreeNumbers): Generator<number> {
  for (let number = first; number <= MAX_SEGMENT_NUMBER; number += 1) yield number;
  for (let number = 0; number < first; number += 1) if (!numbers.has(number)) yield number;
}
