// The machine of the log: disk space and clock.
import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { lineToEntry } from "@ai-audit/core/format";
import { latestLines } from "../log/latest-lines.ts";
import { formatBytes } from "../output/format.ts";
import type { Settings } from "../settings/settings.ts";
import { openStorage } from "../log/storage.ts";
import { type Finding, good, look, wrong } from "./finding.ts";

/** Less than this is not enough for a day of a busy log: 10 GiB, or 10 % of a small disk. */
const ROOM_BYTES = 10 * 2 ** 30;
const ROOM_SHARE = 0.1;
/** Not enough for a segment. */
const TOO_LITTLE_BYTES = 128 * 2 ** 20;

/** Enough space for more. */
export async function examineDisk(location: string): Promise<Finding[]> {
  const { bavail, bsize, blocks } = await statfs(location);
  const free = bavail * bsize;
  const message = `${formatBytes(free)} free of ${formatBytes(blocks * bsize)}; the log has ${formatBytes(await sizeOf(location))}`;
  const remedy = "free some space, or shorten retention: ai-audit cleanup";
  if (free < TOO_LITTLE_BYTES) return [wrong("disk", message, remedy)];
  return [
    free < Math.min(ROOM_BYTES, ROOM_SHARE * blocks * bsize)
      ? look("disk", message, remedy)
      : good("disk", message),
  ];
}

async function sizeOf(location: string): Promise<number> {
  const sizes = (await readdir(location)).map(
    async (name) => (await stat(join(location, name))).size,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Clocks of several machines differ by up to this. */
const TOLERANCE_MS = 5000;

/** Entries must not come from the future, and files must not be older than their entries. */
export async function examineClock(
  location: string,
  settings: Settings,
  now: Date,
): Promise<Finding[]> {
  const [line] = await latestLines(await openStorage(location, settings), {}, 1);
  const entry = line === undefined ? undefined : lineToEntry(line);
  if (entry === undefined) return [good("clock", `${now.toISOString()}; no entry to compare with`)];
  const ahead = Date.parse(entry.timestamp) - now.getTime();
  if (ahead > TOLERANCE_MS) {
    return [
      wrong(
        "clock",
        `the newest entry has the time ${entry.timestamp}, and it is ${now.toISOString()} here`,
        "set the clocks of this machine and of the writers by NTP",
      ),
    ];
  }
  return [good("clock", `${now.toISOString()}; the newest entry has the time ${entry.timestamp}`)];
}
