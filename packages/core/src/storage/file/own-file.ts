// A segment file that this process writes. It is made by its one writer and never opened for
// writing again.
import { join } from "node:path";
import { timeOfId } from "../../format/id.ts";
import {
  formatSegmentName,
  MAX_SEGMENT_NUMBER,
  parseSegmentName,
  segmentDay,
  type SegmentName,
} from "../../format/segment-name.ts";
import { hasCode } from "../../system-error.ts";
import { DAY_MS } from "../../time.ts";
import type { Commit } from "../commit.ts";
import type { SegmentPlace } from "../segment-backend.ts";
import { lastRemoved } from "./archive-state.ts";
import type { Directory, ListedFile } from "./directory.ts";
import { recordedRefs, refsAhead } from "./records.ts";
import { isLocalDisk, type WriterThread } from "./writer-thread.ts";

/** Time between two look-ups of the file's name. */
const LOOK_INTERVAL_MS = 1000;

/**
 * A clock that went back by more than this begins a segment. After a smaller step, ids keep the
 * time that they had.
 */
const CLOCK_STEP_MS = 10_000;

export interface OwnFileOptions {
  readonly directory: Directory;
  readonly thread: WriterThread;
  /** Whether the name and the content must survive a power cut. */
  readonly sync: boolean;
  /** Bytes of lines in the file, unless one commit alone has more. */
  readonly maxBytes: number;
  readonly onRelease: () => void;
}

export class OwnFile implements SegmentPlace {
  readonly file: string;
  /** Whether other processes took numbers meanwhile. */
  readonly hasRivals: boolean;
  readonly #day: number;
  readonly #fd: number;
  readonly #isLocal: boolean;
  readonly #options: OwnFileOptions;
  #bytes = 0;
  #lastId = "";
  /** `performance.now()` */
  #lookedAt: number = performance.now();

  private constructor(
    made: Pick<OwnFile, "file" | "hasRivals"> & { day: number; fd: number; isLocal: boolean },
    options: OwnFileOptions,
  ) {
    this.file = made.file;
    this.hasRivals = made.hasRivals;
    this.#day = made.day;
    this.#fd = made.fd;
    this.#isLocal = made.isLocal;
    this.#options = options;
  }

  /**
   * Makes the next file of a day (whole days since the epoch). `previous` is the writer's own last
   * file, which may be gone. Another process may have made files since they were `listed`: see
   * `hasRivals`.
   */
  static async create(
    utcDay: number,
    previous: string | undefined,
    listed: readonly ListedFile[],
    options: OwnFileOptions,
  ): Promise<OwnFile> {
    const { directory, thread, sync } = options;
    const day = segmentDay(new Date(utcDay * DAY_MS));
    const isLocal = await isLocalDisk(directory.path);
    let tries = 0;
    for (const number of candidates(await freeNumbers(directory, day, previous, listed))) {
      tries += 1;
      const name = formatSegmentName({ day, number });
      try {
        const fd = await thread.call("create", {
          path: join(directory.path, name),
          directory: sync ? directory.path : undefined,
        });
        const hasRivals = tries > 1;
        return new OwnFile({ file: name, hasRivals, day: utcDay, fd, isLocal }, options);
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw error; // another process has that number
      }
    }
    throw new Error(`every segment name of ${day} is taken`);
  }

  get room(): number {
    return this.#options.maxBytes - this.#bytes;
  }

  async whyEnd({ ids: [firstId], day, bytes }: Commit): Promise<string> {
    const isBack = firstId !== undefined && firstId <= this.#lastId;
    if (isBack && wasAhead(this.#lastId)) return "clock";
    // The id of an entry leads to the file of its own day. Control lines alone never go back a day.
    if (day > this.#day || (firstId !== undefined && day < this.#day)) return "day";
    if (await this.#wasMoved()) return "moved"; // readers do not find it under its new name
    if (this.#bytes > 0 && bytes > this.room) return "size";
    return isBack ? "order" : ""; // bisection relies on ascending ids
  }

  async append(sealed: Buffer, { ids }: Commit): Promise<"stored"> {
    const { thread, sync } = this.#options;
    const expected = this.#bytes + sealed.length;
    const { size, names } = await thread.call("append", {
      fd: this.#fd,
      bytes: sealed,
      sync,
      isLocal: this.#isLocal,
    });
    // Bytes in a file without a name are lost; a file of another size was cut, or written to by
    // another process.
    if (names === 0) throw new Error(`${this.file} was removed while it was written to`);
    if (size !== expected) {
      const what = size < expected ? "cut" : "written to by another process";
      throw new Error(`${this.file} was ${what}: it has ${size} bytes, not ${expected}`);
    }
    this.#bytes = expected;
    this.#lastId = ids.at(-1) ?? this.#lastId;
    return "stored";
  }

  async size(): Promise<number> {
    return this.#options.thread.call("size", { fd: this.#fd });
  }

  /** Closes the file; an empty one is removed, and its number may be taken again. */
  async release(): Promise<void> {
    const { thread, onRelease } = this.#options;
    await thread.call("close", { fd: this.#fd, path: this.#path });
    onRelease();
  }

  /**
   * Whether another file, or none, has the name now. Looked up at most once a second: entries that
   * are acknowledged until then lie in the file that was moved.
   */
  async #wasMoved(): Promise<boolean> {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_INTERVAL_MS) return false;
    this.#lookedAt = now;
    return this.#options.thread.call("wasMoved", { fd: this.#fd, path: this.#path });
  }

  get #path(): string {
    return join(this.#options.directory.path, this.file);
  }
}

/**
 * Whether an id was made while the clock was ahead: an import of old entries goes back in time as
 * well.
 */
function wasAhead(id: string): boolean {
  return (timeOfId(id) ?? 0) > Date.now() + CLOCK_STEP_MS;
}

/**
 * A name is used once: records of a removed file would not fit another file in its place. Numbers
 * ascend. After the last possible number, the lowest free one follows.
 */
async function freeNumbers(
  directory: Directory,
  day: string,
  previous: string | undefined,
  listed: readonly ListedFile[],
): Promise<FreeNumbers> {
  const taken = [
    ...listed,
    ...parsed(await refsAhead(directory, day, listed)),
    ...(previous === undefined ? [] : parsed([{ file: previous }])),
  ].filter((segment) => segment.day === day);
  const gone = await lastRemoved(directory.path, day); // after the listing: it is written before a file goes
  const first = taken.reduce((next, { number }) => Math.max(next, number + 1), gone + 1);
  if (first <= MAX_SEGMENT_NUMBER) return { numbers: new Set(), first };
  const recorded = parsed(await recordedRefs(directory, day)).filter((one) => one.day === day);
  return { numbers: new Set([...taken, ...recorded].map(({ number }) => number)), first };
}

function parsed(refs: readonly { readonly file: string }[]): readonly SegmentName[] {
  return refs.flatMap(({ file }) => parseSegmentName(file) ?? []);
}

interface FreeNumbers {
  /** Numbers that are taken, where the last possible one is. */
  readonly numbers: ReadonlySet<number>;
  readonly first: number;
}

function* candidates({ numbers, first }: FreeNumbers): Generator<number> {
  for (let number = first; number <= MAX_SEGMENT_NUMBER; number += 1) yield number;
  for (let number = 0; number < first; number += 1) if (!numbers.has(number)) yield number;
}
