// A folder of files for each day that mirrors the export: files of days that the log no longer has
// are removed.
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../system-error.ts";

// An export owns the files with these names alone: it touches nothing else in the folder.
const STAGE = ".ai-audit-export";
const DAY = /^day=/;
const OWN_FILE = /^ai-audit_\d+\.parquet$/;

/** Name of a day's file, counted from 0. */
export function ownFile(number: number): string {
  return `ai-audit_${number}.parquet`;
}

/**
 * Has `write` fill an empty directory with `day=…` folders, and makes `folder` hold the same. All
 * is written before anything is replaced, so a failure of `write` leaves the folder unchanged.
 * `folder` takes one export at a time.
 */
export async function mirrorDays<T>(
  folder: string,
  write: (stage: string) => Promise<T>,
): Promise<T> {
  const stage = join(folder, STAGE);
  await rm(stage, { recursive: true, force: true }); // of a killed export: it may hold entries removed since
  await mkdir(folder, { recursive: true });
  await mkdir(stage, { mode: 0o700 });
  try {
    const result = await write(stage);
    const kept = new Set<string>();
    for (const day of await daysIn(stage)) {
      await mkdir(join(folder, day), { recursive: true });
      for (const file of await readdir(join(stage, day))) {
        await rename(join(stage, day, file), join(folder, day, file));
        kept.add(join(day, file));
      }
    }
    for (const day of await daysIn(folder)) await removeOthers(folder, day, kept);
    return result;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function daysIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { withFileTypes: true });
  return found.filter((item) => item.isDirectory() && DAY.test(item.name)).map(({ name }) => name);
}

async function removeOthers(folder: string, day: string, kept: ReadonlySet<string>): Promise<void> {
  const own = (await readdir(join(folder, day))).filter((file) => OWN_FILE.test(file));
  const others = own.filter((file) => !kept.has(join(day, file)));
  for (const file of others) await rm(join(folder, day, file));
  if (others.length === 0 || others.length < own.length) return;
  try {
    await rmdir(join(folder, day));
  } catch (error) {
    if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error; // somebody else's files are in it
  }
}
