// Notes on the archive of a directory, in `.archive` beside the segments. They prove nothing:
// losing them costs another confirmation of each segment.
import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { newStream } from "../../format/id.ts";
import type { SegmentName } from "../../format/segment-name.ts";
import { parseObject } from "../../format/read-control-line.ts";
import { createFile, removeFile, writeNewFile } from "../../files.ts";
import { hasCode } from "../../system-error.ts";

/** A segment that the archive confirmed. */
export interface Shipped {
  /** The stream of the segment: its name may belong to another file by now. */
  readonly stream: string;
  /** SHA-256 of its bytes, hex. */
  readonly sha256: string;
  readonly location: string;
  /** Time of the confirmation, milliseconds since the epoch. */
  readonly confirmed: number;
}

const FOLDER = ".archive";

/**
 * The highest number among a day's files that were removed because an archive has them; -1 for
 * none.
 */
export async function lastRemoved(directory: string, day: string): Promise<number> {
  const text = await readOrNothing(join(directory, FOLDER, removedFile(day)));
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : -1;
}

function removedFile(day: string): string {
  return `removed_${day}`;
}

async function readOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

export class ArchiveState {
  readonly #directory: string;
  readonly #path: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, FOLDER);
  }

  /** The directory's id: the first process that asks makes it. */
  async directoryId(): Promise<string> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
    for (;;) {
      const known = await this.#read("id");
      if (known !== undefined) return known.trim();
      await createFile(join(this.#path, "id"), `${newStream()}\n`);
    }
  }

  /** Confirmed segments by file. */
  async shipped(): Promise<Map<string, Shipped>> {
    const shipped = new Map<string, Shipped>();
    for (const name of await this.#names()) {
      if (!name.endsWith(".jsonl.json")) continue;
      const { stream, sha256, location, confirmed } =
        parseObject((await this.#read(name)) ?? "") ?? {};
      if (
        typeof stream === "string" &&
        typeof sha256 === "string" &&
        typeof location === "string" &&
        typeof confirmed === "number"
      ) {
        shipped.set(name.slice(0, -".json".length), { stream, sha256, location, confirmed });
      }
    }
    return shipped;
  }

  async remember(file: string, shipped: Shipped): Promise<void> {
    await this.#write(`${file}.json`, JSON.stringify(shipped));
  }

  /**
   * Reserves the name of a file that is about to be removed: the archive has a file of this name.
   */
  async reserveName({ day, number }: SegmentName): Promise<void> {
    if (number > (await lastRemoved(this.#directory, day)))
      await this.#write(removedFile(day), String(number));
  }

  async forget(file: string): Promise<void> {
    await removeFile(join(this.#path, `${file}.json`));
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#path);
    } catch (error) {
      if (hasCode(error, "ENOENT")) return [];
      throw error;
    }
  }

  async #read(name: string): Promise<string | undefined> {
    return readOrNothing(join(this.#path, name));
  }

  /** Replaces a file in one step: a reader never sees half of it. */
  async #write(name: string, text: string): Promise<void> {
    const draft = join(this.#path, `${newStream()}.draft`);
    await writeNewFile(draft, text);
    await rename(draft, join(this.#path, name));
  }
}
