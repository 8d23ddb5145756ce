// The files of a directory: their names, modes and first lines.
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseSegmentName, readFirstLine, safeLine } from "@ai-audit/core/format";
import { systemFailure } from "../failure.ts";
import { plural } from "../output/format.ts";

/** A `.jsonl` file. */
export interface LogFile {
  readonly file: string;
  readonly bytes: number;
  /** Whether it has the name of a segment. Readers of the log skip any other file. */
  readonly isNamed: boolean;
  /** Permission bits. */
  readonly mode: number;
  /** `foreign`: not begun by `segment.open`. `unreadable`: the operating system refused. */
  readonly kind: "segment" | "foreign" | "empty" | "unreadable";
  /** The key that the segment names; undefined for an unsigned one. It must never be trusted. */
  readonly vkey: string | undefined;
}

/**
 * All `.jsonl` files, in the order of their names. They are read one after another, as a large log
 * has more files than may be open at once, and synchronously, which takes a tenth of the time:
 * every command that reads a directory does this.
 */
export async function listLogFiles(location: string): Promise<LogFile[]> {
  const files: LogFile[] = [];
  for (const file of (await readdir(location)).toSorted()) {
    if (file.endsWith(".jsonl")) files.push(describe(location, file));
  }
  return files;
}

/**
 * One line about files that were not written by this library: read without any proof, or not read.
 * Undefined if none.
 */
export async function describeForeign(
  location: string,
  readers: "of-segments" | "of-all",
): Promise<string | undefined> {
  const foreign = (await listLogFiles(location)).filter(
    ({ kind, isNamed }) => kind === "foreign" || !isNamed,
  );
  const [first] = foreign;
  if (first === undefined) return undefined;
  const unread = readers === "of-all" ? 0 : foreign.filter(({ isNamed }) => !isNamed).length;
  const name = `${safeLine(first.file)}${foreign.length > 1 ? " and others" : ""}; see: ai-audit doctor`;
  if (unread === foreign.length)
    return `${plural(unread, "file")} not read, without the name of a segment: ${name}`;
  const part = unread === 0 ? "" : `, ${unread} of them not read`;
  return `${plural(foreign.length, "foreign file")} without any proof${part}: ${name}`;
}

function describe(location: string, file: string): LogFile {
  const path = join(location, file);
  const { size, mode } = statSync(path);
  const base = {
    file,
    bytes: size,
    isNamed: parseSegmentName(file) !== undefined,
    mode: mode & 0o777,
    vkey: undefined,
  };
  if (size === 0) return { ...base, kind: "empty" };
  try {
    return { ...base, ...parseFirstLine(readBeginning(path)) };
  } catch (error) {
    if (systemFailure(error) === undefined) throw error;
    return { ...base, kind: "unreadable" };
  }
}

/** The kind of a file and the key that it names, from its first line. */
export function parseFirstLine(beginning: string): Pick<LogFile, "kind" | "vkey"> {
  const [line = ""] = beginning.split("\n", 1);
  const first = readFirstLine(line);
  if (first.kind !== "segment") return { kind: "foreign", vkey: undefined };
  return { kind: "segment", vkey: first.open.vkey ?? undefined };
}

/** Enough for most first lines. */
const HEAD_BYTES = 4096;
/** No first line is longer: a planted file must not fill the memory. */
const MAX_HEAD_BYTES = 2 ** 24;

/** The beginning of a file: its first line, and more if it was read. */
function readBeginning(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    for (let bytes = HEAD_BYTES; ; bytes *= 8) {
      const buffer = Buffer.alloc(bytes);
      const head = buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, 0));
      if (head.includes("\n") || head.length < bytes || bytes >= MAX_HEAD_BYTES)
        return head.toString("utf8");
    }
  } finally {
    closeSync(descriptor);
  }
}
