// Retention on a directory: whole files go, after a durable record that they did.
import { join } from "node:path";
import { lineToEntry } from "../entry.ts";
import { timeOfId } from "../id.ts";
import { retentionPrune, type SegmentRef } from "../integrity/control-line.ts";
import { leafHash, MerkleTree } from "../integrity/merkle.ts";
import { segmentDay } from "../integrity/segment-name.ts";
import { type Directory, type ListedFile, parseObject } from "./directory.ts";
import { readWhole } from "./file-read.ts";
import { keeps, readHolds } from "./holds.ts";
import { removeFile } from "./own-file.ts";
import { idOfLine } from "./segment-search.ts";
import type { PruneOptions, PruneResult } from "./storage.ts";

/** The writer on whose behalf files are removed. */
export interface Remover {
  /** True for the segment that the writer has open. */
  readonly isOpen: (file: string) => boolean;
  readonly append: (line: string) => Promise<void>;
}

/** A file past retention, and what its prune line says. */
export interface Expired {
  readonly file: string;
  readonly ref: SegmentRef;
  readonly entries: number;
  readonly from: string | null;
  readonly to: string | null;
  /** Prune lines it holds, by the file they are about. */
  readonly pruneLines: ReadonlyMap<string, string>;
}

/** Removes files whose newest entry is older than `before`; never one of today, which may still grow. */
export async function pruneDirectory(
  directory: Directory,
  { before, policy, actor, dryRun, now }: PruneOptions,
  remover: Remover,
): Promise<PruneResult> {
  const today = segmentDay(new Date(now));
  const cutoffDay = segmentDay(new Date(Math.max(0, before)));
  const listed = (await directory.list()).filter(
    ({ file, day }) => day <= cutoffDay && day < today && !remover.isOpen(file),
  );
  const holds = await readHolds(directory);
  const expired: Expired[] = [];
  const held: string[] = [];
  for (const candidate of listed) {
    const file = await examine(directory, candidate, before);
    if (!file) continue;
    // Oldest first: whether a release is still needed is known by what happens to its hold.
    if (keeps(holds, file, new Set(expired.map((gone) => gone.file)))) held.push(file.file);
    else expired.push(file);
  }
  const result = {
    entries: expired.reduce((sum, { entries }) => sum + entries, 0),
    files: expired.map(({ file }) => file),
    held,
  };
  if (dryRun || expired.length === 0) return result;
  const lines = expired.map(({ ref: { file, size, root }, from, to }) =>
    retentionPrune({ file, leaves: size, root, from, to, policy, actor }),
  );
  const carried = await linesStillNeeded(directory, expired);
  await Promise.all([...lines, ...carried].map((line) => remover.append(line)));
  return { ...(await removeFiles(directory, expired)), held };
}

/** Another process may have removed a file at the same time: it counts there. */
async function removeFiles(directory: Directory, expired: readonly Expired[]): Promise<PruneResult> {
  let entries = 0;
  const files: string[] = [];
  for (const { file, entries: count } of expired) {
    if (!(await removeFile(join(directory.path, file)))) continue;
    entries += count;
    files.push(file);
  }
  await directory.sync();
  return { entries, files };
}

/** What the record of a removal needs; undefined when the file's newest entry is not old enough. */
async function examine(directory: Directory, { file }: ListedFile, before: number): Promise<Expired | undefined> {
  const sealed = (await directory.tail(file))?.ref;
  const tree = sealed ? undefined : new MerkleTree(); // a foreign file, or one that died before its first commit
  const pruneLines = new Map<string, string>();
  let entries = 0;
  let from: number | undefined;
  let to: number | undefined;
  for await (const lines of readWhole(directory, file)) {
    for (const line of lines) {
      tree?.append(leafHash(line));
      const time = entryTime(line);
      if (time === undefined) notePruneLine(line, pruneLines);
      else if (time >= before) return undefined;
      else {
        entries += 1;
        from = Math.min(from ?? time, time);
        to = Math.max(to ?? time, time);
      }
    }
  }
  const ref = sealed ?? { file, size: tree?.size ?? 0, root: tree?.root().toString("base64") ?? "" };
  return { file, ref, entries, from: isoOf(from), to: isoOf(to), pruneLines };
}

/** Milliseconds since the epoch of an entry line, ours or the Python original's; undefined for what is no entry. */
function entryTime(line: Buffer): number | undefined {
  const id = idOfLine(line);
  const time = id === undefined ? undefined : timeOfId(id);
  if (time !== undefined) return time;
  const entry = lineToEntry(line.toString());
  const parsed = entry ? Date.parse(entry.timestamp) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** Notes a line that authorises the removal of a file, by that file. */
export function notePruneLine(line: Buffer, into: Map<string, string>): void {
  const text = line.toString();
  const isRecord = text.startsWith('{"type":"retention.prune",') || text.startsWith('{"type":"retention.archived",');
  const pruned = isRecord ? parseObject(text)?.["file"] : undefined;
  if (typeof pruned === "string") into.set(pruned, text);
}

function isoOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

/** Prune lines that go with the expired files although a file that stays refers to what they authorise. */
export async function linesStillNeeded(
  directory: Directory,
  expired: readonly Pick<Expired, "file" | "pruneLines">[],
): Promise<string[]> {
  const held = new Map(expired.flatMap(({ pruneLines }) => [...pruneLines]));
  if (held.size === 0) return [];
  const going = new Set(expired.map(({ file }) => file));
  const needed = new Set<string>();
  for (const { file } of await directory.list()) {
    if (going.has(file)) continue;
    for (const ref of (await directory.head(file))?.refs ?? []) {
      const line = held.get(ref.file);
      if (line !== undefined) needed.add(line);
    }
  }
  return [...needed];
}
