// What a directory remembers of its archive, in `.archive` beside the segments. Nothing here proves anything: losing it
// costs another confirmation of each segment.
import { link, mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { newStream } from "../../format/id.ts";
import type { SegmentName } from "../../format/segment-name.ts";
import { parseObject } from "../../format/read-control-line.ts";
import { removeFile } from "../../files.ts";
import { hasCode } from "../../system-error.ts";

/** A segment that the archive confirmed. */
export interface Shipped {
  /** Whose segment it is: a name can stand for another file by now. */
  readonly stream: string;
  /** SHA-256 of its bytes, hex. */
  readonly sha256: string;
  readonly location: string;
  /** When, milliseconds since the epoch. */
  readonly confirmed: number;
}

const FOLDER = ".archive";

/** The highest number of a day's files that were removed because an archive has them; -1 for none. */
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

  /** The directory's id, made once by whichever process comes first. */
  async directoryId(): Promise<string> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
    for (;;) {
      const known = await this.#read("id");
      if (known !== undefined) return known.trim();
      await this.#writeNew("id", `${newStream()}\n`);
    }
  }

  /** By file; none where nothing was ever shipped. */
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

  /** Keeps the name of a file that is about to be removed from being given again: in the archive it is taken. */
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

  /** Whole or not at all: a reader never sees half of it. */
  async #write(name: string, text: string): Promise<void> {
    const draft = await this.#draft(text);
    await rename(draft, join(this.#path, name));
  }

  /** The same, unless it is there already. */
  async #writeNew(name: string, text: string): Promise<void> {
    const draft = await this.#draft(text);
    try {
      await link(draft, join(this.#path, name));
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    } finally {
      await removeFile(draft);
    }
  }

  async #draft(text: string): Promise<string> {
    const draft = join(this.#path, `${newStream()}.draft`);
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return draft;
  }
}
