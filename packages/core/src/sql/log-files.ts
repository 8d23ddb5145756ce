// The files of a log for DuckDB: those that every other reader of the log reads, and no others.
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseSegmentName } from "../format/segment-name.ts";
import { hasCode } from "../system-error.ts";

/** A day of a bucket, downloaded: `2026-11-30`. */
const DAY = /^\d{4}-\d\d-\d\d$/;
const DAYS = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]";

/**
 * Patterns of DuckDB for the log in a folder: the segments of a `FileStorage`, or the objects of a
 * bucket's days. The folder may be one of these days. A file of another name, in a folder of
 * another name, is not part of the log.
 */
export async function logFilesIn(folder: string): Promise<string[]> {
  const entries = await entriesOf(folder);
  const plain = plainGlob(folder);
  if (DAY.test(basename(folder))) return objectsOf(plain);
  const segments = entries
    .filter((entry) => entry.isFile() && parseSegmentName(entry.name) !== undefined)
    .map(({ name }) => join(plain, name));
  const hasDays = entries.some((entry) => entry.isDirectory() && DAY.test(entry.name));
  return hasDays ? [...segments, ...objectsOf(join(plain, DAYS))] : segments;
}

/** Single entries and the original's, commits, and shipped segments of one day or of all. */
function objectsOf(day: string): string[] {
  return ["*.json", "*.jsonl", "*/audit_*.jsonl"].map((pattern) => join(day, pattern));
}

/** A regular expression for the names of files that are read: patterns are less exact. */
export const LOG_FILE: string = [
  "/[^/]+[.]json",
  "/audit_[0-9]{8}(_[0-9]{3,6})?[.]jsonl",
  "/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-[A-Za-z0-9_-]{16})?[.]jsonl",
]
  .map((name) => `(${name})`)
  .join("|");

async function entriesOf(folder: string): Promise<Awaited<ReturnType<typeof readEntries>>> {
  try {
    return await readEntries(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

async function readEntries(
  folder: string,
): Promise<readonly { readonly name: string; isFile(): boolean; isDirectory(): boolean }[]> {
  return readdir(folder, { withFileTypes: true });
}

/** A pattern for this path alone, whatever characters its name has. */
export function plainGlob(path: string): string {
  return path.replaceAll(/[*?[\]]/g, "[$&]");
}
