// Verifies a log with nothing but its files and the keys and pins that the caller trusts. Imports neither logger nor
// storage: whoever audits reads this room alone.
import { setTimeout as sleep } from "node:timers/promises";
import type { SegmentRef } from "./control-line.ts";
import { LineSplitter } from "./lines.ts";
import { locate } from "./locate.ts";
import { directorySource, type LogSource, type SourceFile } from "./log-source.ts";
import { checkPins } from "./pin.ts";
import { readFirstLine } from "./read-control-line.ts";
import { compareSegmentNames, parseSegmentName, segmentDay } from "./segment-name.ts";
import { couldNotVerify, judge } from "./verdict.ts";
import {
  type FileState,
  type FileVerification,
  type Pin,
  type Problem,
  type Verification,
  worstState,
} from "./verification.ts";
import { type Keyring, keyringOf } from "./verify-checkpoint.ts";
import { type LinkReport, referenceOfPin, referencesOf, verifyLinks } from "./verify-links.ts";
import { type SegmentReport, verifySegment } from "./verify-segment.ts";

/** How far verification has come. */
export interface VerifyProgress {
  readonly file: string;
  /** Bytes read of all files. */
  readonly bytesRead: number;
  readonly totalBytes: number;
}

/** What to verify against. */
export interface VerifyOptions {
  /**
   * `vkey`s of the keys that may have signed. Keys found in the log are never trusted.
   * @default none: everything signed is UNKNOWN_KEY
   */
  readonly trustedKeys?: readonly string[];
  /** States of the log noted earlier. @default none */
  readonly pins?: readonly Pin[];
  /** Called after each chunk read. */
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** The present, which tells an open segment from an unclosed one. @default the system's clock */
  readonly now?: Date;
  /**
   * `all`: the signature of every checkpoint. `last`: of each file's last one, which covers all leaves as well and is
   * many times faster where commits are small, but leaves changes in older signatures unseen.
   * @default "all"
   */
  readonly signatures?: "all" | "last";
}

interface Settings {
  readonly keyring: Keyring;
  readonly pins: readonly Pin[];
  readonly onProgress: (progress: VerifyProgress) => void;
  readonly now: Date;
  readonly signatures: "all" | "last";
}

/**
 * Verifies the log in a directory: integrity, completeness, anchoring. Findings, and also that nothing could be read
 * (exit code 3), are returned, not thrown.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` or `AUDIT_CONFIG_INVALID` when a trusted key or a pin is malformed.
 */
export async function verifyLog(location: string, options: VerifyOptions = {}): Promise<Verification> {
  return verifySource(directorySource(location), options);
}

/** `verifyLog` for a log in any other home. */
export async function verifySource(source: LogSource, options: VerifyOptions = {}): Promise<Verification> {
  const { trustedKeys = [], pins = [], onProgress = () => {}, now = new Date(), signatures = "all" } = options;
  checkPins(pins);
  const settings = { keyring: keyringOf(trustedKeys), pins, onProgress, now, signatures };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await verifyOnce(source, settings);
    } catch (error) {
      // Retention may remove a file between listing and reading it. Then its prune line is there on a second look.
      if (attempt < MAX_ATTEMPTS && isGone(error)) continue;
      return couldNotVerify(error instanceof Error ? error.message : String(error));
    }
  }
}

const MAX_ATTEMPTS = 3;

async function verifyOnce(source: LogSource, settings: Settings): Promise<Verification> {
  const files = (await source.files()).toSorted(byName);
  if (files.length === 0) return couldNotVerify("there is no log here: not one .jsonl file");
  const reports = await verifyFiles(source, files, settings);
  const links = verifyLinks(reports, settings.pins);
  const present = reports.map((report) => settle(report, links, reports, settings.now));
  const all = [...present, ...absentFiles(links)].toSorted(byName);
  return judge({
    files: all,
    pins: settings.pins,
    confirmedPins: links.confirmedPins,
    signatures: settings.signatures,
  });
}

/** For each file the sizes of its tree that something refers to. */
type SizesWanted = Map<string, Set<number>>;

/**
 * Reports on all files, with the roots at every size that any of them, or a pin, refers to. First lines are read
 * beforehand, so that one pass is enough; only where a writer began a segment meanwhile are files read again.
 */
async function verifyFiles(
  source: LogSource,
  files: readonly SourceFile[],
  settings: Settings,
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
  { keyring, signatures, onProgress, now }: Settings,
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

function hasTail({ problems }: SegmentReport): boolean {
  return problems.some(({ state }) => state === "TORN_TAIL" || state === "UNSEALED_TAIL");
}

async function withLocation(source: LogSource, report: SegmentReport): Promise<SegmentReport> {
  if (report.broken === undefined) return report;
  const located = await locate(source.read(report.file), report.broken);
  return { ...report, problems: [...located, ...report.problems] };
}

/** The state of a file, once everything that others say about it is known. */
function settle(
  report: SegmentReport,
  links: LinkReport,
  reports: readonly SegmentReport[],
  now: Date,
): FileVerification {
  const { file, sealed, origin, signedBy } = report;
  const problems: Problem[] = [...report.problems, ...(links.problems.get(file) ?? [])];
  const end = endOf(report, links, reports, now);
  if (end === "UNCLOSED") {
    problems.push({ state: end, line: 0, message: "no end, and nothing later confirms this one: a crash or a cut" });
  }
  return {
    file,
    state: worstState(problems) ?? end,
    leaves: sealed.size,
    entries: sealed.entries,
    problems,
    ...(signedBy !== undefined && { signedBy }),
    ...(origin !== undefined && sealed.size > 0 && { head: { origin, size: sealed.size, root: sealed.root } }),
  };
}

function endOf(report: SegmentReport, links: LinkReport, reports: readonly SegmentReport[], now: Date): FileState {
  const { file, kind, isClosed, open, problems } = report;
  const isAltered = problems.some(({ state }) => state === "TAMPERED");
  if (kind !== "segment" || isClosed || isAltered || hasTail(report)) return "OK"; // or what its problems say
  const isNewest = !reports.some(
    (other) => other.open?.stream === open?.stream && (other.open?.seq ?? 0) > (open?.seq ?? 0),
  );
  if (isNewest && isOfDay(file, now)) return "OPEN";
  return links.confirmed.has(file) ? "OK" : "UNCLOSED";
}

function isOfDay(file: string, now: Date): boolean {
  return parseSegmentName(file)?.day === segmentDay(now);
}

function absentFiles({ absent, problems }: LinkReport): FileVerification[] {
  return [...absent].map(([file, { state, leaves }]) => ({
    file,
    state,
    leaves,
    entries: 0,
    problems: problems.get(file) ?? [],
  }));
}

/** Segments by day and number, anything else after them. */
function byName(a: { readonly file: string }, b: { readonly file: string }): number {
  const [left, right] = [parseSegmentName(a.file), parseSegmentName(b.file)];
  if (left !== undefined && right !== undefined) return compareSegmentNames(left, right);
  if (left !== undefined || right !== undefined) return left === undefined ? 1 : -1;
  return a.file < b.file ? -1 : 1;
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
