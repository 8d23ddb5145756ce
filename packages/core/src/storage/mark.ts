// The mark of a writer outside of the log: the state that its segment had reached. A log that was cut
// while no writer was at work is shorter than that at the next start.
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AuditConfigError } from "../errors.ts";
import { formatControlLine, type SegmentRef } from "../format/control-line.ts";
import { hasCode } from "../system-error.ts";

/** A state that a writer had reached, as its mark keeps it. */
export interface MarkedState extends SegmentRef {
  /** The log: a directory's path, or a bucket's address. */
  readonly log: string;
  readonly stream: string;
  /** In a bucket: the key of the object that ends in it. */
  readonly key?: string | undefined;
}

/**
 * Shortest time between two writes of a mark: a busy writer would replace it many times a second.
 */
const INTERVAL_MS = 100;

/** The marks of the writers of one log, a file each in a directory that is not the log's. */
export class Mark {
  readonly #directory: string;
  readonly #log: string;
  readonly #stream: string;
  readonly #name: string;
  #next: MarkedState | undefined;
  #writing: Promise<void> | undefined;

  constructor(directory: string, log: string, stream: string) {
    this.#directory = directory;
    this.#log = log;
    this.#stream = stream;
    this.#name = `${stream}.mark.json`;
  }

  /**
   * Notes a durable state, without a wait. A failure does not harm the log: the mark is then older
   * than the log, and proves less.
   */
  note({ file, size, root }: SegmentRef, key?: string): void {
    this.#next = { log: this.#log, stream: this.#stream, file, size, root, key };
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    const draft = join(this.#directory, `${this.#name}.${randomBytes(6).toString("hex")}.tmp`);
    while (this.#next !== undefined) {
      const state = this.#next;
      this.#next = undefined;
      try {
        await mkdir(this.#directory, { recursive: true, mode: 0o700 });
        await writeFile(draft, JSON.stringify(state), { mode: 0o600 });
        await rename(draft, join(this.#directory, this.#name));
      } catch {
        await rm(draft, { force: true }).catch(() => undefined);
      }
      await sleep(INTERVAL_MS, undefined, { ref: false });
    }
    this.#writing = undefined;
  }

  /**
   * Removes the mark: the writer has ended its segment in order. A mark that cannot be removed
   * agrees with the log.
   */
  async end(): Promise<void> {
    this.#next = undefined;
    await this.#writing;
    await this.#remove(this.#name).catch(() => undefined);
  }

  /**
   * The `segment.gap` lines that are due about earlier writers of this log: one for each writer
   * that remembered more than `leavesOf` finds. `settle` removes their marks, once the lines are
   * durable.
   * @param leavesOf the present leaves of a segment; null when it is gone, undefined when its
   * removal is on record
   * @param isOver whether no writer writes to a segment any more
   */
  async gaps(
    leavesOf: (state: MarkedState) => Promise<number | null | undefined>,
    isOver: (file: string) => boolean,
  ): Promise<{ readonly lines: readonly string[]; readonly settle: () => Promise<void> }> {
    const lines: string[] = [];
    const settled: string[] = [];
    for (const [name, state] of await this.#others()) {
      const { file, size, root } = state;
      const found = await leavesOf(state);
      const isGap = found === null || (found !== undefined && found < size);
      if (isGap) lines.push(formatControlLine({ type: "segment.gap", file, size, root, found }));
      if (isGap || isOver(file)) settled.push(name);
    }
    const settle = async (): Promise<void> => {
      for (const name of settled) await this.#remove(name);
    };
    return { lines, settle };
  }

  /** The marks of other writers of this log. */
  async #others(): Promise<Map<string, MarkedState>> {
    const found = new Map<string, MarkedState>();
    for (const name of await this.#names()) {
      if (name === this.#name || !name.endsWith(".mark.json")) continue;
      const state = readState(await readFile(join(this.#directory, name), "utf8"));
      if (state?.log === this.#log) found.set(name, state);
    }
    return found;
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#directory);
    } catch (error) {
      if (hasCode(error, "ENOENT")) return [];
      throw error;
    }
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.#directory, name), { force: true });
  }
}

/**
 * The directory of the option `mark`, absolute; undefined where none is given.
 * @param log the log's own directory, which is refused: an attacker who cuts the log could reach
 * the mark too
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID`
 */
export function resolveMark(mark: string | undefined, log?: string): string | undefined {
  if (mark === undefined) return undefined;
  if (typeof mark !== "string" || mark === "")
    throw new AuditConfigError("mark must name a directory");
  const absolute = resolve(mark);
  if (log !== undefined && !relative(log, absolute).startsWith(".."))
    throw new AuditConfigError("mark must name a directory outside of path");
  return absolute;
}

/** Undefined for a file that a power cut left without its bytes, or that is not a mark. */
function readState(text: string): MarkedState | undefined {
  try {
    const { log, stream, file, size, root, key }: Partial<MarkedState> = JSON.parse(text);
    const isState =
      typeof log === "string" &&
      typeof stream === "string" &&
      typeof file === "string" &&
      typeof root === "string" &&
      Number.isSafeInteger(size);
    return isState && size !== undefined
      ? { log, stream, file, size, root, key: typeof key === "string" ? key : undefined }
      : undefined;
  } catch {
    return undefined;
  }
}
