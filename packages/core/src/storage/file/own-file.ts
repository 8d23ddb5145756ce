// A segment file that this process writes. It is made by its one writer and never opened for
// writing again.
import { join } from "node:path";
import {
  formatSegmentName,
  MAX_SEGMENT_NUMBER,
  parseSegmentName,
} from "../../format/segment-name.ts";
import { hasCode } from "../../system-error.ts";
import { lastRemoved } from "./archive-state.ts";
import type { Directory } from "./directory.ts";
import { recordedRefs } from "./witnessed.ts";
import type { WriterThread } from "./writer-thread.ts";

/** How often the name of the file is looked up. */
const LOOK_INTERVAL_MS = 1000;

interface OwnFileOptions {
  readonly directory: Directory;
  readonly thread: WriterThread;
  /** Whether the name and the content must survive a power cut. */
  readonly sync: boolean;
}

export class OwnFile {
  readonly name: string;
  readonly #path: string;
  readonly #fd: number;
  readonly #thread: WriterThread;
  readonly #sync: boolean;
  #bytes = 0;
  /** `performance.now()` */
  #lookedAt: number = performance.now();

  private constructor(name: string, fd: number, { directory, thread, sync }: OwnFileOptions) {
    this.name = name;
    this.#path = join(directory.path, name);
    this.#fd = fd;
    this.#thread = thread;
    this.#sync = sync;
  }

  /** Makes the next file of a day. `previous` is the writer's own last file, which may be gone. */
  static async create(
    day: string,
    previous: string | undefined,
    options: OwnFileOptions,
  ): Promise<OwnFile> {
    const { directory, thread, sync } = options;
    for (const number of candidates(await freeNumbers(directory, day, previous))) {
      const name = formatSegmentName({ day, number });
      try {
        const fd = await thread.call("create", {
          path: join(directory.path, name),
          directory: sync ? directory.path : undefined,
        });
        return new OwnFile(name, fd, options);
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw error; // another process has that number
      }
    }
    throw new Error(`every segment name of ${day} is taken`);
  }

  /** Bytes acknowledged as written. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Appends; resolves when the bytes are as durable as this file promises. They must fill their
   * buffer.
   */
  async write(bytes: Buffer): Promise<void> {
    const expected = this.#bytes + bytes.length;
    const { size, names } = await this.#thread.call("append", {
      fd: this.#fd,
      bytes,
      sync: this.#sync,
    });
    // Bytes in a file without a name are lost; a file of another size was cut, or written to by
    // another process.
    if (names === 0) throw new Error(`${this.name} was removed while it was written to`);
    if (size !== expected) {
      const what = size < expected ? "cut" : "written to by another process";
      throw new Error(`${this.name} was ${what}: it has ${size} bytes, not ${expected}`);
    }
    this.#bytes = expected;
  }

  /**
   * Whether another file, or none, has the name now. Asked at most once a second: entries that are
   * acknowledged until then lie in the file that was moved.
   */
  async wasMoved(): Promise<boolean> {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_INTERVAL_MS) return false;
    this.#lookedAt = now;
    return this.#thread.call("wasMoved", { fd: this.#fd, path: this.#path });
  }

  /** Present size in bytes, also after a failed write. */
  async size(): Promise<number> {
    return this.#thread.call("size", { fd: this.#fd });
  }

  /** Closes the file; an empty one goes, and its number may be taken again. */
  async release(): Promise<void> {
    await this.#thread.call("close", { fd: this.#fd, path: this.#path });
  }
}

/**
 * A name is given once: what others recorded of a file that is gone is not true of another in its
 * place. Numbers ascend. After the last possible number, the lowest free one follows.
 */
async function freeNumbers(
  directory: Directory,
  day: string,
  previous: string | undefined,
): Promise<FreeNumbers> {
  // A segment is older than every record of it.
  const refs = (await recordedRefs(directory, day)).map(({ file }) => file);
  const recorded = [...refs, ...(previous === undefined ? [] : [previous])].flatMap(
    (file) => parseSegmentName(file) ?? [],
  );
  const taken = [...(await directory.list()), ...recorded].filter((segment) => segment.day === day);
  const numbers = new Set(taken.map(({ number }) => number));
  const gone = await lastRemoved(directory.path, day); // after the listing: it is written before a file goes
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
