// Reads every file of a log and reports on each, also while writers are at work.
import { setTimeout as sleep } from "node:timers/promises";
import type { SegmentRef } from "./control-line.ts";
import { LineSplitter } from "./lines.ts";
import { locate } from "./locate.ts";
import type { LogSource, SourceFile } from "./log-source.ts";
import { readFirstLine } from "./read-control-line.ts";
import { dayOfSegment, segmentDay } from "./segment-name.ts";
import type { SegmentReport } from "./segment-report.ts";
import type { Pin } from "./verification.ts";
import type { Keyring } from "./verify-checkpoint.ts";
import { referenceOfPin, referencesOf } from "./verify-links.ts";
import { verifySegment } from "./verify-segment.ts";

/** How far verification has come. */
export interface VerifyProgress {
  readonly file: string;
  /** Bytes read of all files. */
  readonly bytesRead: number;
  readonly totalBytes: number;
}

/** `VerifyOptions`, resolved. */
export interface VerifySettings {
  readonly keyring: Keyring;
  readonly pins: readonly Pin[];
  readonly onProgress: (progress: VerifyProgress) => void;
  readonly now: Date;
  readonly signatures: "all" | "last";
}

/** For each file the sizes of its tree that something refers to. */
type SizesWanted = Map<string, Set<number>>;

/**
 * Reports on all files, with the roots at every size that any of them, or a pin, refers to. First lines are read
 * beforehand, so that one pass is enough; only where a writer began a segment meanwhile are files read again.
 */
export async function readReports(
  source: LogSource,
  files: readonly SourceFile[],
  settings: VerifySettings,
): Promise<SegmentReport[]> {
  const wanted: SizesWanted = new Map();
  want(wanted, settings.pins.map(referenceOfPin));
  for (const { file } of files) {
    const first = readFirstLine(await firstLineOf(source.read(file)));
    if (first.kind === "segment") want(wanted, referencesOf(first.open));
  }
  const reports = new Map<string, SegmentReport>();
  let unread = files;
  while (unread.length > 0) {
    for (const report of await readFiles(source, unread, wanted, settings)) reports.set(report.file, report);
    const later = [...reports.values()].flatMap(({ open }) => (open === undefined ? [] : referencesOf(open)));
    const newlyWanted = want(wanted, later);
    unread = files.filter(({ file }) => newlyWanted.has(file));
  }
  return [...reports.values()];
}

/** Adds references; tells which files they add a size to. */
function want(wanted: SizesWanted, references: readonly SegmentRef[]): Set<string> {
  const changed = new Set<string>();
  for (const { file, size } of references) {
    const sizes = wanted.get(file) ?? new Set<number>();
    if (!sizes.has(size)) changed.add(file);
    wanted.set(file, sizes.add(size));
  }
  return changed;
}

async function firstLineOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  const splitter = new LineSplitter();
  for await (const chunk of chunks) {
    const [block] = splitter.push(chunk);
    // A first block that a chunk completes is one line; see LineSplitter.
    if (block !== undefined) return block.bytes.toString("utf8", block.start, block.end - 1);
  }
  return "";
}

async function readFiles(
  source: LogSource,
  files: readonly SourceFile[],
  wanted: SizesWanted,
  { keyring, signatures, onProgress, now }: VerifySettings,
): Promise<SegmentReport[]> {
  const totalBytes = files.reduce((total, { bytes }) => total + bytes, 0);
  let bytesRead = 0;
  const reports: SegmentReport[] = [];
  for (const { file, bytes } of files) {
    const onBytes = (count: number): void => {
      bytesRead = Math.min(totalBytes, bytesRead + count); // a file may grow while it is read
      onProgress({ file, bytesRead, totalBytes });
    };
    const options = { keyring, signatures, sizesWanted: wanted.get(file) ?? new Set<number>() };
    const read = async (): Promise<SegmentReport> => verifySegment(file, source.read(file), { ...options, onBytes });
    const report = await rereadWhileWritten(await read(), { source, bytes, now, read });
    reports.push(report.broken === undefined ? report : await withLocation(source, report));
  }
  return reports;
}

interface Reread {
  readonly source: LogSource;
  /** Size when listed. */
  readonly bytes: number;
  readonly now: Date;
  readonly read: () => Promise<SegmentReport>;
}

/**
 * A writer's commit is not atomic for a reader: an end of today that still changes is no torn one. A file that goes
 * meanwhile (its writer never wrote to it) makes `read` reject, and the log is looked at anew.
 */
async function rereadWhileWritten(report: SegmentReport, { source, bytes, now, read }: Reread): Promise<SegmentReport> {
  let latest = report;
  let size: number | undefined = bytes;
  for (let waitedMs = 0; waitedMs < PATIENCE_MS && hasTail(latest) && isOfDay(latest.file, now); waitedMs += POLL_MS) {
    await sleep(POLL_MS);
    const listed = (await source.files()).find(({ file }) => file === latest.file)?.bytes;
    if (listed === size) continue;
    size = listed;
    latest = await read();
  }
  return latest;
}

/** Some writes and their fdatasync take that long on a busy disk. */
const PATIENCE_MS = 500;
const POLL_MS = 50;

/** Whether a file ends in something that nothing seals. */
export function hasTail({ problems }: SegmentReport): boolean {
  return problems.some(({ state }) => state === "TORN_TAIL" || state === "UNSEALED_TAIL");
}

async function withLocation(source: LogSource, report: SegmentReport): Promise<SegmentReport> {
  if (report.broken === undefined) return report;
  const located = await locate(source.read(report.file), report.broken);
  return { ...report, problems: [...located, ...report.problems] };
}

/** Whether a segment is of the present UTC day, and so may still be written. */
export function isOfDay(file: string, now: Date): boolean {
  return dayOfSegment(file) === segmentDay(now);
}
