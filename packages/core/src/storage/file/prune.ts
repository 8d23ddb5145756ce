// Retention on a directory: whole files are removed, after a durable record of their removal.
import { join } from "node:path";
import { formatControlLine, type SegmentRef } from "../../format/control-line.ts";
import { dayOfSegment, segmentDay } from "../../format/segment-name.ts";
import { removeFile } from "../../files.ts";
import { type Holds, whyFileHeld } from "../../retention/holds.ts";
import {
  type Candidate,
  covers,
  planRemoval,
  removalLines,
  type Surroundings,
  UNSOUND,
} from "../../retention/plan.ts";
import { sealedByAnother } from "../../retention/trust.ts";
import { referencesOf } from "../../verify/references.ts";
import type { ExpiredPart, PruneOptions, PruneResult } from "../storage.ts";
import { ArchiveState } from "./archive-state.ts";
import { withCleanupMark } from "./cleanup-mark.ts";
import { type Directory, type Head, readChunks } from "./directory.ts";
import { type ExaminedFile, examineFile, stateToRemove } from "./examine.ts";
import { readHolds } from "./holds.ts";
import { boundsOfDay } from "./read.ts";
import { recordedRefs, recordedToday } from "./records.ts";

/** The writer on whose behalf files are removed. */
export interface Remover {
  /** True for the segment that the writer has open. */
  readonly isOpen: (file: string) => boolean;
  /** Makes lines durable, and before them, in a segment begun for it, states of files that stay. */
  readonly record: (lines: readonly string[], states: readonly SegmentRef[]) => Promise<void>;
}

/** A file past retention. */
interface ExpiredFile extends Candidate {
  readonly stream: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly head: Head | undefined;
  /** Times that a hold on it must cover. */
  readonly span: { readonly from: string | null; readonly to: string | null };
}

/**
 * Removes files whose newest entry is older than `before`; never one of today, which may still
 * grow.
 */
export function pruneDirectory(
  directory: Directory,
  options: PruneOptions,
  remover: Remover,
): Promise<PruneResult> {
  const work = (): Promise<PruneResult> => prune(directory, options, remover);
  return options.dryRun === true ? work() : withCleanupMark(directory.path, work);
}

async function prune(
  directory: Directory,
  { before, policy, actor, dryRun, now, onProgress = () => undefined }: PruneOptions,
  remover: Remover,
): Promise<PruneResult> {
  // The caller's `now` may lie ahead; other writers' open files are of the real present.
  const today = segmentDay(new Date(Math.min(now, Date.now())));
  const cutoffDay = segmentDay(new Date(Math.max(0, before)));
  const listed = (await directory.list()).filter(
    ({ file, day }) => day <= cutoffDay && day < today && !remover.isOpen(file),
  );
  const holds = await readHolds(directory);
  const recorded = Map.groupBy(await recordedRefs(directory), ({ file }) => file);
  const candidates: ExpiredFile[] = [];
  for (const [at, each] of listed.entries()) {
    onProgress(at / listed.length);
    const states = recorded.get(each.file) ?? [];
    const examined = await examineFile(directory, each, states, before);
    if (examined) candidates.push(await asCandidate(directory, examined));
  }
  const plan = planRemoval(
    candidates,
    await surroundingsOf(directory, candidates, holds, cutoffDay),
  );
  const keep = plan.keep.map(({ candidate, fate, reason }) => partOf(candidate, fate, reason));
  const stays = {
    held: keep.filter(({ fate }) => fate === "held").map(({ file }) => file),
    refused: keep.filter(({ fate }) => fate === "refused").map(({ file }) => file),
    expired: inOrder(candidates, [...keep, ...plan.remove.map((file) => partOf(file, "removed"))]),
  };
  if (dryRun) return { ...totalOf(plan.remove), ...stays };
  const remove = await unchanged(directory, plan.remove);
  if (remove.length === 0) return { ...totalOf([]), ...stays };
  const at = new Date().toISOString();
  const lines = removalLines(remove, { policy, actor, at });
  const shipped = await linesOfShipped(directory, remove, at);
  await remover.record([...lines, ...shipped, ...plan.carried], plan.states);
  const { removed, grown } = await removeFiles(directory, remove);
  if (grown.length > 0)
    await remover.record(removalLines(grown, { policy, actor, at: new Date().toISOString() }), []);
  return { ...totalOf(removed), ...stays };
}

/**
 * Files that are as they were when they were examined. Another process may have removed one, and
 * has recorded it. A writer may have woken up after days and ended its file: other files may then
 * record more of it than the removal line would name, and it waits for the next clean-up.
 */
async function unchanged(
  directory: Directory,
  files: readonly ExpiredFile[],
): Promise<ExpiredFile[]> {
  const found = [];
  for (const file of files)
    if ((await directory.sizeOf(file.file)) === file.bytes) found.push(file);
  return found;
}

/** An examined file as the plan takes it. */
export async function asCandidate(
  directory: Directory,
  { file, day, head, digest, sealed, since, isSound, isTrusted, report }: ExaminedFile,
): Promise<ExpiredFile> {
  const { from, to } = digest;
  const vkey = head?.vkey ?? null;
  const isDated = isWithin(day, from, to);
  const isOwner = directory.actor.mayRemove(vkey);
  const flaw = isSound && (isDated || report === undefined) ? undefined : UNSOUND;
  return {
    file,
    stream: head?.stream ?? "",
    bytes: digest.bytes,
    sha256: digest.sha256(),
    head,
    // A foreign file has no seal, nor has one whose writer died before its first commit.
    ref: sealed ?? (await stateToRemove(file, head, () => directory.chunks(file))),
    since,
    entries: digest.dated,
    // A foreign file may have times off its day: with them a verifier would not believe the line.
    from: isDated ? isoOf(from) : null,
    to: isDated ? isoOf(to) : null,
    // Entries of an unproven file may have been removed: it stays under any hold on its day.
    span: isTrusted ? { from: isoOf(from), to: isoOf(to) } : withDay(day, from, to),
    flaw: isOwner ? flaw : sealedByAnother(vkey ?? ""),
    isRemains: false,
    isTrusted,
    states: isTrusted && report?.open ? referencesOf(report.open) : [],
    removals: report?.prunes ?? [],
  };
}

/**
 * The facts about the rest of the directory. Files past retention that are gone are forgotten,
 * unless a hold keeps them.
 */
async function surroundingsOf(
  directory: Directory,
  candidates: readonly ExpiredFile[],
  holds: Holds,
  cutoffDay: string,
): Promise<Surroundings> {
  const spans = new Map(candidates.map(({ file, span }) => [file, span]));
  const facts = await factsOf(directory, candidates);
  const isHeld = (day: string): boolean =>
    whyFileHeld(holds, { file: "", ...withDay(day) }, new Set()) !== undefined;
  return {
    ...facts,
    whyHeld: ({ file }, going) =>
      whyFileHeld(holds, { file, from: null, to: null, ...spans.get(file) }, going),
    mustStayOnRecord: (file) => {
      const day = dayOfSegment(file) ?? "";
      return facts.isThere(file) || day >= cutoffDay || isHeld(day);
    },
  };
}

/**
 * The files that are there, their references to each other, and the records in segments of today.
 */
export async function factsOf(
  directory: Directory,
  candidates: readonly Candidate[],
): Promise<Pick<Surroundings, "isReferredTo" | "isOnRecord"> & { isThere(file: string): boolean }> {
  const listed = await directory.list();
  const there = new Set(listed.map(({ file }) => file));
  const referrers = new Map<string, string[]>();
  if (candidates.some(({ removals }) => removals.length > 0)) {
    for (const { file } of listed) {
      for (const ref of (await directory.head(file))?.refs ?? []) append(referrers, ref.file, file);
    }
  }
  const isRecording = candidates.some(({ states }) => states.length > 0);
  const today = Map.groupBy(isRecording ? await recordedToday(directory) : [], ({ file }) => file);
  return {
    isThere: (file) => there.has(file),
    isReferredTo: (file, going) => (referrers.get(file) ?? []).some((by) => !going.has(by)),
    isOnRecord: (state) => (today.get(state.file) ?? []).some((ref) => covers(ref, state)),
  };
}

function append(map: Map<string, string[]>, key: string, item: string): void {
  const known = map.get(key);
  if (known) known.push(item);
  else map.set(key, [item]);
}

/**
 * Records of files that an archive has: retention here does not explain a file missing in the
 * archive. A file that was never shipped has none.
 */
async function linesOfShipped(
  directory: Directory,
  remove: readonly ExpiredFile[],
  at: string,
): Promise<string[]> {
  const shipped = await new ArchiveState(directory.path).shipped();
  return remove.flatMap(({ file, stream, sha256, ref }) => {
    const known = shipped.get(file);
    if (known?.stream !== stream) return [];
    const { size: leaves, root } = ref;
    const { location } = known;
    return formatControlLine({
      type: "retention.archived",
      file,
      leaves,
      root,
      sha256,
      location,
      at,
    });
  });
}

/**
 * Removes files that are still as recorded. A file that another process removes at the same time
 * counts in that process. `grown` are the files that were written to at the last moment, with their
 * final state.
 */
async function removeFiles(
  directory: Directory,
  remove: readonly ExpiredFile[],
): Promise<{ removed: ExpiredFile[]; grown: ExpiredFile[] }> {
  const removed: ExpiredFile[] = [];
  const grown: ExpiredFile[] = [];
  for (const expired of remove) {
    const { file, bytes, head } = expired;
    const handle = await directory.open(file);
    if (!handle) continue;
    try {
      if ((await handle.stat()).size !== bytes) continue;
      if (!(await removeFile(join(directory.path, file)))) continue;
      removed.push(expired);
      if ((await handle.stat()).size !== bytes) {
        const ref = await stateToRemove(file, head, () => readChunks(handle));
        grown.push({ ...expired, ref, since: [] });
      }
    } finally {
      await handle.close();
    }
  }
  await directory.sync();
  return { removed, grown };
}

function totalOf(files: readonly ExpiredFile[]): Pick<PruneResult, "entries" | "files"> {
  const entries = files.reduce((sum, { entries: count }) => sum + count, 0);
  return { entries, files: files.map(({ file }) => file) };
}

function inOrder(candidates: readonly Candidate[], parts: readonly ExpiredPart[]): ExpiredPart[] {
  const order = new Map(candidates.map(({ file }, at) => [file, at]));
  return parts.toSorted((a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0));
}

function partOf(
  { file, entries, from, to }: Candidate,
  fate: ExpiredPart["fate"],
  reason?: string,
): ExpiredPart {
  return { file, entries, from, to, fate, ...(reason !== undefined && { reason }) };
}

/** An entry lies in the file of its own day. */
function isWithin(day: string, from: number | undefined, to: number | undefined): boolean {
  const bounds = boundsOfDay(day);
  return (from ?? bounds.from) >= bounds.from && (to ?? bounds.to) <= bounds.to;
}

function withDay(day: string, from = Infinity, to = -Infinity): ExpiredFile["span"] {
  const bounds = boundsOfDay(day);
  return { from: isoOf(Math.min(from, bounds.from)), to: isoOf(Math.max(to, bounds.to)) };
}

function isoOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
