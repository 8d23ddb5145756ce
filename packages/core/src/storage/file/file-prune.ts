// Retention on a directory: whole files go, after a durable record that they did.
import { idOfLine, timeOfId } from "../../format/id.ts";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { lineToEntry } from "../../format/entry-line.ts";
import { formatControlLine, type SegmentRef } from "../../format/control-line.ts";
import { leafHash, MerkleTree } from "../../seal/merkle.ts";
import { readLineOf } from "../../format/read-control-line.ts";
import { segmentDay } from "../../format/segment-name.ts";
import { ArchiveState } from "./archive-state.ts";
import { carry } from "./carried-lines.ts";
import { type Directory, type Head, type ListedFile } from "./directory.ts";
import { boundsOfDay, readWhole } from "./file-read.ts";
import { readHolds, whyHeld } from "./holds.ts";
import { removeFile } from "../../files.ts";
import { readSealed } from "./sealed-file.ts";
import { recordedRefs } from "./seen.ts";
import { soleRecords } from "./sole-records.ts";
import type { ExpiredPart, PruneOptions, PruneResult } from "../storage.ts";
import { sealedByAnother } from "../../retention/trust.ts";

/** The writer on whose behalf files are removed. */
export interface Remover {
  /** True for the segment that the writer has open. */
  readonly isOpen: (file: string) => boolean;
  /** Makes lines durable, and before them, in a segment begun for it, states of files that stay. */
  readonly record: (lines: readonly string[], states: readonly SegmentRef[]) => Promise<void>;
}

/** A file past retention, and what its prune line says. */
interface Expired {
  readonly file: string;
  readonly ref: SegmentRef;
  readonly entries: number;
  readonly from: string | null;
  readonly to: string | null;
  /** What a hold on it must cover. */
  readonly span: { readonly from: string | null; readonly to: string | null };
  /** Files that lines in it authorise the removal of. What they prove is another matter. */
  readonly prunedFiles: ReadonlySet<string>;
  /** Why nobody here may answer for its removal; undefined when it may go. */
  readonly flaw: string | undefined;
}

/** What goes, and what must be on record before it does. */
interface Removal {
  readonly expired: readonly Expired[];
  /** Lines in files that go of removals that are still referred to. */
  readonly carried: readonly string[];
  /** What only files that go recorded of files that stay. */
  readonly states: readonly SegmentRef[];
}

/**
 * Removes files whose newest entry is older than `before`; never one of today, which may still grow, and never one that
 * was altered: the record of the removal would be all that is left of the evidence.
 */
export async function pruneDirectory(
  directory: Directory,
  { before, policy, actor, dryRun, now, onProgress = () => undefined }: PruneOptions,
  remover: Remover,
): Promise<PruneResult> {
  // The caller's present may lie ahead. What others have open is of the real one.
  const today = segmentDay(new Date(Math.min(now, Date.now())));
  const cutoffDay = segmentDay(new Date(Math.max(0, before)));
  const listed = (await directory.list()).filter(
    ({ file, day }) => day <= cutoffDay && day < today && !remover.isOpen(file),
  );
  const holds = await readHolds(directory);
  const recorded = Map.groupBy(await recordedRefs(directory), ({ file }) => file);
  const candidates: Expired[] = [];
  const held: ExpiredPart[] = [];
  for (const [at, candidate] of listed.entries()) {
    onProgress(at / listed.length);
    const file = await examine(directory, candidate, before, recorded.get(candidate.file) ?? []);
    if (!file) continue;
    // Oldest first: whether a release is still needed is known by what happens to its hold.
    const going = new Set(candidates.map((gone) => gone.file));
    const reason = whyHeld(holds, { file: file.file, ...file.span }, going);
    if (reason === undefined) candidates.push(file);
    else held.push(partOf(file, "held", reason));
  }
  // Retention forgets what it might have removed; what it must keep it does not.
  const isMissed = (day: string): boolean =>
    day >= cutoffDay || whyHeld(holds, { file: "", ...withDay(day) }, new Set()) !== undefined;
  const { expired, carried, states } = await withoutUnsound(directory, candidates, isMissed);
  const going = new Set(expired);
  const refused = candidates
    .filter((file) => !going.has(file))
    .map((file) => partOf(file, "refused", file.flaw ?? UNPROVEN));
  const order = new Map(listed.map(({ file }, at) => [file, at]));
  const stays = {
    held: held.map(({ file }) => file),
    refused: refused.map(({ file }) => file),
    expired: [...held, ...refused, ...expired.map((file) => partOf(file, "removed"))].toSorted(
      (a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0),
    ),
  };
  const result = {
    entries: expired.reduce((sum, { entries }) => sum + entries, 0),
    files: expired.map(({ file }) => file),
    ...stays,
  };
  if (dryRun || expired.length === 0) return result;
  const lines = expired.map(({ ref: { file, size, root }, from, to }) =>
    formatControlLine({
      type: "retention.prune",
      file,
      leaves: size,
      root,
      from,
      to,
      policy,
      actor,
    }),
  );
  const shipped = await linesOfShipped(directory, expired);
  await remover.record([...lines, ...shipped, ...carried], states);
  return { ...(await removeFiles(directory, expired)), ...stays };
}

const UNSOUND = "it is not what was sealed, or not what the log recorded of it";
const UNPROVEN = "it records a removal that is still referred to, and nothing proves it";

function partOf(
  { file, entries, from, to }: Expired,
  fate: ExpiredPart["fate"],
  reason?: string,
): ExpiredPart {
  return { file, entries, from, to, fate, ...(reason !== undefined && { reason }) };
}

/**
 * What an archive has of these files stays there: the records of that, so that in the archive retention here is no
 * excuse for what is gone there. What was never shipped has none.
 */
async function linesOfShipped(
  directory: Directory,
  expired: readonly Expired[],
): Promise<string[]> {
  const shipped = await new ArchiveState(directory.path).shipped();
  const lines: string[] = [];
  for (const { file, ref } of expired) {
    const known = shipped.get(file);
    if (known === undefined || known.stream !== (await directory.head(file))?.stream) continue;
    const { location } = known;
    const sha256 = await sha256Of(directory, file); // what is remembered of it proves nothing
    lines.push(
      formatControlLine({
        type: "retention.archived",
        file,
        leaves: ref.size,
        root: ref.root,
        sha256,
        location,
      }),
    );
  }
  return lines;
}

async function sha256Of(directory: Directory, file: string): Promise<string> {
  const sha256 = createHash("sha256");
  for await (const chunk of directory.chunks(file)) sha256.update(chunk);
  return sha256.digest("hex");
}

/** The files that may go, and what to record of those that stay. */
async function withoutUnsound(
  directory: Directory,
  candidates: readonly Expired[],
  isMissed: (day: string) => boolean,
): Promise<Removal> {
  let expired = candidates.filter(({ flaw }) => flaw === undefined);
  for (;;) {
    const states = await soleRecords(directory, {
      files: new Set(expired.map(({ file }) => file)),
      isMissed,
    });
    const { lines, unproven } = await carry(directory, expired, states);
    if (unproven.size === 0) return { expired, carried: lines, states };
    // One that stays refers to others in turn: once more without it.
    expired = expired.filter(({ file }) => !unproven.has(file));
  }
}

/** Another process may have removed a file at the same time: it counts there. */
async function removeFiles(
  directory: Directory,
  expired: readonly Expired[],
): Promise<PruneResult> {
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

/**
 * What the record of a removal needs; undefined when the file's newest entry is not old enough. `recorded`: states of the
 * file that our log vouches for.
 */
async function examine(
  directory: Directory,
  { file, day }: ListedFile,
  before: number,
  recorded: readonly SegmentRef[],
): Promise<Expired | undefined> {
  const tree = new MerkleTree();
  const prunedFiles = new Set<string>();
  let entries = 0;
  let from: number | undefined;
  let to: number | undefined;
  for await (const lines of readWhole(directory, file)) {
    for (const line of lines) {
      tree.append(leafHash(line));
      const time = entryTime(line);
      if (time === undefined) notePrunedFile(line, prunedFiles);
      else if (time >= before) return undefined;
      else {
        entries += 1;
        from = Math.min(from ?? time, time);
        to = Math.max(to ?? time, time);
      }
    }
  }
  const head = await directory.head(file);
  const checked =
    head && !head.foreign ? await readSealed(directory, file, head, recorded) : undefined;
  const isDated = isOfDay(day, from, to);
  return {
    file,
    // A foreign file, or one that died before its first commit, has no checkpoint: what is there is what goes.
    ref: checked?.ref ?? { file, size: tree.size, root: tree.root().toString("base64") },
    entries,
    // Times off its day are of a foreign file: the verifier would take the line for one that somebody was tricked into.
    from: isDated ? isoOf(from) : null,
    to: isDated ? isoOf(to) : null,
    // Where nobody vouches for what is in there, a hold on its day keeps it: its entries may have been taken out.
    span: checked?.isOurs ? { from: isoOf(from), to: isoOf(to) } : withDay(day, from, to),
    prunedFiles,
    flaw: flawOf(
      directory,
      head,
      checked ? checked.isSound && isDated : recorded.every(({ size }) => size === 0),
    ),
  };
}

function flawOf(
  directory: Directory,
  head: Head | undefined,
  isSound: boolean,
): string | undefined {
  const vkey = head?.vkey ?? null;
  return directory.mayRemove(vkey) ? (isSound ? undefined : UNSOUND) : sealedByAnother(vkey ?? "");
}

function withDay(day: string, from = Infinity, to = -Infinity): Expired["span"] {
  const bounds = boundsOfDay(day);
  return { from: isoOf(Math.min(from, bounds.from)), to: isoOf(Math.max(to, bounds.to)) };
}

/** An entry lies in the file of its own day. */
function isOfDay(day: string, from: number | undefined, to: number | undefined): boolean {
  const bounds = boundsOfDay(day);
  return (from ?? bounds.from) >= bounds.from && (to ?? bounds.to) <= bounds.to;
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

/** Notes the file of which a line authorises the removal. */
function notePrunedFile(line: Buffer, into: Set<string>): void {
  const removal = readLineOf(line.toString(), "retention.prune", "retention.archived");
  if (removal) into.add(removal.file);
}

function isoOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
