// What the beginning of each file of a log says.
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { safeLine } from "@ai-audit/core/format";
import { systemFailure } from "../failure.ts";
import { plural } from "../output/format.ts";

/** One `.jsonl` file. */
export interface LogFile {
  readonly file: string;
  readonly bytes: number;
  /** Whether it is called as segments are: readers of the log pass over any other. */
  readonly isNamed: boolean;
  /** Permission bits. */
  readonly mode: number;
  /** `foreign`: not begun by `segment.open`. `unreadable`: the operating system refused. */
  readonly kind: "segment" | "foreign" | "empty" | "unreadable";
  /** Which key the segment says it is signed with; undefined when with none. Not to be trusted. */
  readonly vkey: string | undefined;
}

/**
 * All of them, in the order of their names. One after the other, for a large log has more files than may be open at once;
 * and each in one go, which takes a tenth of the time: every command that reads a directory comes by here.
 */
export async function listLogFiles(location: string): Promise<LogFile[]> {
  const files: LogFile[] = [];
  for (const file of (await readdir(location)).toSorted()) {
    if (file.endsWith(".jsonl")) files.push(describe(location, file));
  }
  return files;
}

/** docs/format.md, section 1. */
const SEGMENT_NAME = /^audit_\d{8}(?:_\d{3,6})?\.jsonl$/;

/**
 * One line about files that no writer of ours made: those that readers take along although nothing vouches for them, and
 * those that they pass over, where they pass over any. Undefined where there are none.
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
    return `${plural(unread, "file")} not read, by the name no segment: ${name}`;
  const part = unread === 0 ? "" : `, ${unread} of them not read`;
  return `${plural(foreign.length, "foreign file")} that nothing vouches for${part}: ${name}`;
}

function describe(location: string, file: string): LogFile {
  const path = join(location, file);
  const { size, mode } = statSync(path);
  const base = {
    file,
    bytes: size,
    isNamed: SEGMENT_NAME.test(file),
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

/**
 * What a file's beginning says of it. Members come in the order of docs/format.md, so the key can be read without the
 * (possibly long) rest of the line.
 */
export function parseFirstLine(beginning: string): Pick<LogFile, "kind" | "vkey"> {
  const [line = ""] = beginning.split("\n", 1);
  if (!line.startsWith('{"type":"segment.open"')) return { kind: "foreign", vkey: undefined };
  const vkey = /"vkey":("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  return { kind: "segment", vkey: vkey === undefined ? undefined : String(JSON.parse(vkey)) };
}

/** Enough for the members up to `vkey`. */
const HEAD_BYTES = 4096;

function readBeginning(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(HEAD_BYTES);
    return buffer.toString("utf8", 0, readSync(descriptor, buffer, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}
