// What the beginning of each file of a log says.
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** One `.jsonl` file. */
export interface LogFile {
  readonly file: string;
  readonly bytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** `foreign`: not begun by `segment.open`. `unreadable`: the operating system refused. */
  readonly kind: "segment" | "foreign" | "empty" | "unreadable";
  /** Which key the segment says it is signed with; undefined when with none. Not to be trusted. */
  readonly vkey: string | undefined;
}

/** All of them, in the order of their names. */
export async function listLogFiles(location: string): Promise<LogFile[]> {
  const names = (await readdir(location)).filter((name) => name.endsWith(".jsonl")).toSorted();
  return Promise.all(names.map((file) => describe(location, file)));
}

async function describe(location: string, file: string): Promise<LogFile> {
  const path = join(location, file);
  const { size, mode } = await stat(path);
  const base = { file, bytes: size, mode: mode & 0o777, vkey: undefined };
  if (size === 0) return { ...base, kind: "empty" };
  let line: string;
  try {
    line = await firstLine(path);
  } catch {
    return { ...base, kind: "unreadable" }; // told as a finding
  }
  if (!line.startsWith('{"type":"segment.open"')) return { ...base, kind: "foreign" };
  // Members come in the order of docs/format.md, so the key can be read without the (possibly long) rest.
  const vkey = /"vkey":("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  return { ...base, kind: "segment", vkey: vkey === undefined ? undefined : String(JSON.parse(vkey)) };
}

/** Enough for the members up to `vkey`. */
const HEAD_BYTES = 4096;

async function firstLine(path: string): Promise<string> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString("utf8", 0, bytesRead).split("\n", 1)[0] ?? "";
  } finally {
    await handle.close();
  }
}
