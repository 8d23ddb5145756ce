// A directory of segments: what is there, and what the ends of each file say.
import { type FileHandle, mkdir, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SegmentRef } from "../integrity/control-line.ts";
import { parseCheckpoint, parseNote } from "../integrity/note.ts";
import { compareSegmentNames, parseSegmentName, type SegmentName } from "../integrity/segment-name.ts";
import { hasCode } from "../system-error.ts";

/** A segment or foreign file by its name. */
export interface ListedFile extends SegmentName {
  readonly file: string;
}

/** What the first line says. */
export interface Head {
  /** Not begun by `segment.open`: written by the Python original, say. */
  readonly foreign: boolean;
  /** Empty for a foreign file. */
  readonly stream: string;
  /** States of other files that this one records: `prev` and `seen`. */
  readonly refs: readonly SegmentRef[];
}

/** What the last lines say. */
export interface Tail {
  /** The last checkpoint's size and root. */
  readonly ref: SegmentRef;
  /** Calls recorded, where the file was ended in order: entries less those that record a call once more. */
  readonly closedCalls: number | undefined;
}

const LF = 0x0a;

export class Directory {
  readonly path: string;
  /** A complete first line never changes. */
  readonly #heads = new Map<string, Head>();
  /** Nor does a closed file. */
  readonly #closedTails = new Map<string, Tail>();

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the directory where there is none. `sync`: its name shall survive a power cut. */
  async make(sync: boolean): Promise<void> {
    const first = await mkdir(this.path, { recursive: true, mode: 0o700 });
    if (first === undefined || !sync) return;
    for (let made = this.path; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
  }

  /** Makes names of new and removed files durable. */
  async sync(): Promise<void> {
    await syncDirectory(this.path);
  }

  /** Files of the log in the order of their names' days and numbers; none where the directory does not exist. */
  async list(): Promise<ListedFile[]> {
    let files: string[];
    try {
      files = await readdir(this.path);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      files = [];
    }
    this.#forgetAllBut(new Set(files));
    return files
      .flatMap((file) => {
        const name = parseSegmentName(file);
        return name ? { file, ...name } : [];
      })
      .toSorted(compareSegmentNames);
  }

  /** A day far back, or a directory made anew, may get a file of the same name again. */
  #forgetAllBut(files: ReadonlySet<string>): void {
    for (const known of this.#heads.keys()) {
      if (files.has(known)) continue;
      this.#heads.delete(known);
      this.#closedTails.delete(known);
    }
  }

  /** Opens a file for reading; undefined when it is gone (retention may remove one at any time). */
  async open(file: string): Promise<FileHandle | undefined> {
    try {
      return await open(join(this.path, file), "r");
    } catch (error) {
      if (hasCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /** What the first line says; undefined while there is no complete one. */
  async head(file: string): Promise<Head | undefined> {
    const known = this.#heads.get(file);
    if (known) return known;
    const line = await this.#with(file, firstLine);
    if (line === undefined) return undefined;
    const head = parseHead(line);
    this.#heads.set(file, head);
    return head;
  }

  /** What the last lines say; undefined when no complete checkpoint is there. */
  async tail(file: string): Promise<Tail | undefined> {
    const known = this.#closedTails.get(file);
    if (known) return known;
    if ((await this.head(file))?.foreign !== false) return undefined;
    const tail = await this.#with(file, (handle) => readTail(handle, file));
    if (tail?.closedCalls !== undefined) this.#closedTails.set(file, tail);
    return tail;
  }

  /** Opens the file for each read, so that a reader of thousands of files holds none open. A file that is gone is empty. */
  reader(file: string): RandomAccess {
    return {
      read: async (buffer, offset, length, position) =>
        (await this.#with(file, (handle) => handle.read(buffer, offset, length, position))) ?? { bytesRead: 0 },
    };
  }

  /** Makes what another process may just have written to a file durable before anything is said about it. */
  async settle(file: string): Promise<void> {
    await this.#with(file, (handle) => handle.datasync());
  }

  async #with<T>(file: string, use: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
    const handle = await this.open(file);
    if (!handle) return undefined;
    try {
      return await use(handle);
    } finally {
      await handle.close();
    }
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return; // cannot open a directory; NTFS journals names
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What can be read at any place: an open file, or something like it elsewhere. */
export interface RandomAccess {
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

/** `length` bytes from `position`, or what there is. */
export async function readAt(handle: RandomAccess, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function firstLine(handle: FileHandle): Promise<string | undefined> {
  for (let length = 4096; ; length *= 8) {
    const bytes = await readAt(handle, 0, length);
    const end = bytes.indexOf(LF);
    if (end !== -1) return bytes.toString("utf8", 0, end);
    if (bytes.length < length) return undefined;
  }
}

function parseHead(line: string): Head {
  const parsed = line.startsWith('{"type":"segment.open",') ? parseObject(line) : undefined;
  if (!parsed) return { foreign: true, stream: "", refs: [] };
  const seen = Array.isArray(parsed["seen"]) ? parsed["seen"] : [];
  return {
    foreign: false,
    stream: String(parsed["stream"]),
    refs: [parsed["prev"], ...seen].filter(isRef),
  };
}

/** Reads backwards until a checkpoint line is complete. */
async function readTail(handle: FileHandle, file: string): Promise<Tail | undefined> {
  const { size } = await handle.stat();
  for (let length = 4096; ; length *= 8) {
    const start = Math.max(0, size - length);
    const text = (await readAt(handle, start, size - start)).toString("utf8");
    const lines = text.split("\n").slice(start === 0 ? 0 : 1, -1);
    const at = lines.findLastIndex((line) => line.startsWith('{"type":"checkpoint",'));
    const ref = at === -1 ? undefined : parseCheckpointLine(lines[at] ?? "", file);
    if (ref) {
      const close = lines[at - 1]?.startsWith('{"type":"segment.close",')
        ? parseObject(lines[at - 1] ?? "")
        : undefined;
      const { entries, linked = 0 } = close ?? {};
      const closedCalls = typeof entries === "number" && typeof linked === "number" ? entries - linked : undefined;
      return { ref, closedCalls };
    }
    if (start === 0) return undefined;
  }
}

/** The state that a checkpoint line claims; undefined when it is none. Nothing is verified here. */
function parseCheckpointLine(line: string, file: string): SegmentRef | undefined {
  const note = parseObject(line)?.["note"];
  if (typeof note !== "string") return undefined;
  const text = parseNote(note)?.text;
  const checkpoint = text === undefined ? undefined : parseCheckpoint(text);
  return checkpoint && { file, size: checkpoint.size, root: checkpoint.root };
}

/** The object that a line of JSON holds, if it holds one. */
export function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isRef(value: unknown): value is SegmentRef {
  return (
    typeof value === "object" &&
    value !== null &&
    "file" in value &&
    typeof value.file === "string" &&
    "size" in value &&
    typeof value.size === "number" &&
    "root" in value &&
    typeof value.root === "string"
  );
}
