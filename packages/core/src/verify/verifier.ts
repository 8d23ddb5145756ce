// Verifies a log with nothing but its files and the keys and pins that the caller trusts. Imports neither logger nor
// storage: whoever audits reads this room alone.
import { setTimeout as sleep } from "node:timers/promises";
import type { LogSource, SourceFile, SourceHome } from "./log-source.ts";
import { checkPins } from "./pin.ts";
import {
  byName,
  hasTail,
  mayBeWritten,
  readReports,
  type VerifyProgress,
  type VerifySettings,
} from "./read-segments.ts";
import { dayOfSegment } from "../format/segment-name.ts";
import type { SegmentReport } from "./segment-report.ts";
import { Streams } from "./ends.ts";
import { couldNotVerify, judge, NO_FILE } from "./verdict.ts";
import {
  type FileState,
  type FileVerification,
  type Pin,
  type Problem,
  type Verification,
  worstState,
} from "./verification.ts";
import { keyringOf } from "./checkpoint-check.ts";
import { holdsInForce } from "./holds.ts";
import type { PruneRecord } from "./removals.ts";
import {
  type LinkReport,
  recordsElsewhere,
  type RecordedState,
  followReferences,
} from "./references.ts";
import { hasCode } from "../system-error.ts";

export type { VerifyProgress } from "./read-segments.ts";

/** What to verify against. */
export interface VerifySourceOptions {
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

/**
 * Verifies one log: integrity, completeness, anchoring. Findings, and also that nothing could be read (exit code 3),
 * are returned, not thrown.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` or `AUDIT_CONFIG_INVALID` when a trusted key or a pin is malformed.
 */
export async function verifySource(
  source: LogSource,
  options: VerifySourceOptions = {},
): Promise<Verification> {
  return verifySources(async () => [source], options);
}

/**
 * `verifySource` for several logs in one place, each complete in itself. The first may hold records of removals from
 * the others.
 * @param open Looks at the place; again, where it changed while it was read.
 */
export async function verifySources(
  open: (now: Date) => Promise<readonly LogSource[]>,
  options: VerifySourceOptions,
): Promise<Verification> {
  const {
    trustedKeys = [],
    pins = [],
    onProgress = () => {},
    now = new Date(),
    signatures = "all",
  } = options;
  checkPins(pins);
  const settings = { keyring: keyringOf(trustedKeys), pins, onProgress, now, signatures };
  let isSecondLook = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const sources = await open(now);
      const verification = await verifyOnce(sources, settings);
      if (isSecondLook || !mayHaveBeenOvertaken(sources, verification, now)) return verification;
      isSecondLook = true;
    } catch (error) {
      // Retention may remove a file between listing and reading it. Then its prune line is there on another look.
      if (attempt >= MAX_ATTEMPTS || !hasCode(error, "ENOENT")) {
        return couldNotVerify(
          error instanceof Error ? error.message : String(error),
          failureOf(error),
        );
      }
      await sleep(FIRST_PAUSE_MS * 2 ** attempt);
    }
  }
}

/**
 * What an error calls itself, or the one that retries ended with: the system's code where it has one, else its name;
 * undefined for what is no error.
 */
function failureOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.cause instanceof Error) return failureOf(error.cause);
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** With the pauses between them some three seconds: longer than a removal of many files keeps its pace. */
const MAX_ATTEMPTS = 7;
const FIRST_PAUSE_MS = 25;

/**
 * Whether a place that is listed once, page by page, may have been listed too early for what is said to be lacking in
 * it: writers of today began, or went on, while later pages were read.
 */
function mayHaveBeenOvertaken(
  sources: readonly LogSource[],
  { files }: Verification,
  now: Date,
): boolean {
  return (
    sources.some((source) => source.sizeOf === undefined) &&
    files.some(
      ({ file, problems }) =>
        mayBeWritten(file.slice(file.lastIndexOf("/") + 1), now) &&
        problems.some(({ state }) => state === "MISSING" || state === "ROLLBACK"),
    )
  );
}

async function verifyOnce(
  sources: readonly LogSource[],
  settings: VerifySettings,
): Promise<Verification> {
  const found: FileVerification[] = [];
  const confirmedPins: Pin[] = [];
  const elsewhere: Elsewhere = { prunes: [], states: [], holders: [] };
  for (const source of sources) {
    const { files: examined, links, reports } = await examine(source, settings, elsewhere);
    found.push(...examined);
    confirmedPins.push(...links.confirmedPins);
    elsewhere.prunes.push(...links.prunes);
    for (const report of reports) {
      elsewhere.states.push(...recordsElsewhere(report));
      if (report.hold) elsewhere.holders.push(report);
    }
  }
  const files = onceEach(found);
  if (files.length === 0) return couldNotVerify("there is no log here: not one .jsonl file");
  return judge({ files, pins: settings.pins, confirmedPins, signatures: settings.signatures });
}

/**
 * What one log records as removed from another is a file of both: it is told once, as the other one tells it. Nothing
 * but such a removal is ever left out: names are whatever somebody gave.
 */
function onceEach(files: readonly FileVerification[]): FileVerification[] {
  const last = new Map(files.map((file) => [file.file, file]));
  return files.filter(
    (file) => file.state !== "PRUNED" || file.problems.length > 0 || last.get(file.file) === file,
  );
}

/** What the logs of one place that were read before say of those after them. */
interface Elsewhere {
  readonly prunes: PruneRecord[];
  readonly states: RecordedState[];
  /** Segments that place or release a hold. */
  readonly holders: SegmentReport[];
}

/** One log: its files, and what they say about each other. */
async function examine(
  source: LogSource,
  settings: VerifySettings,
  elsewhere: Elsewhere,
): Promise<{
  readonly files: FileVerification[];
  readonly links: LinkReport;
  readonly reports: readonly SegmentReport[];
}> {
  const { home } = source;
  const states = home ? elsewhere.states.flatMap((state) => stateOfLog(state, home.name)) : [];
  const pins = home ? settings.pins.filter((pin) => home.isOfPin(pin)) : settings.pins;
  const { reports: read, odd } = await readReports(
    source,
    { ...settings, pins },
    states.map(({ ref }) => ref),
  );
  const reports = home
    ? read.map((report) => ({
        ...report,
        problems: [...home.problemsOf(report), ...report.problems],
      }))
    : read;
  const prunes = home ? elsewhere.prunes.flatMap((record) => ofLog(record, home.name)) : [];
  const isAwaited = (file: string): boolean => home?.isAwaited(file) === true;
  const context = {
    now: settings.now,
    prunes,
    states,
    holds: holdsInForce([...elsewhere.holders, ...reports]),
    isAwaited,
    isArchive: home?.isArchive === true,
    mayExpire: home !== undefined,
  };
  const links = followReferences(reports, pins, context);
  const facts = { links, streams: new Streams(reports), now: settings.now, isAwaited };
  const found = [...reports.map((report) => settle(report, facts)), ...absentFiles(links)];
  const files = withOddities(found, odd).toSorted(byName);
  return { files: home ? files.map((file) => inHome(file, home)) : files, links, reports };
}

/** A recorded state as the log concerned spells its file: without its name. */
function stateOfLog({ ref, from }: RecordedState, name: string): RecordedState[] {
  const isOfIt = name !== "" && ref.file.startsWith(`${name}/`);
  return isOfIt ? [{ ref: { ...ref, file: ref.file.slice(name.length + 1) }, from }] : [];
}

/** The record of a removal as the log concerned spells it: without its name. */
function ofLog({ prune, isProven }: PruneRecord, name: string): PruneRecord[] {
  const isOfIt = name !== "" && prune.file.startsWith(`${name}/`);
  return isOfIt ? [{ prune: { ...prune, file: prune.file.slice(name.length + 1) }, isProven }] : [];
}

/** Names and places as whoever looks into the log's home will see them. */
function inHome(verification: FileVerification, home: SourceHome): FileVerification {
  const { file, problems } = verification;
  return {
    ...verification,
    file: home.labelOf(file),
    problems: problems.map((problem) => {
      const [from, to] = [
        home.placeOf(file, problem.line),
        home.placeOf(file, problem.lastLine ?? problem.line),
      ];
      const place = from === to || to === undefined ? from : `${from ?? ""} to ${to}`;
      return place === undefined
        ? problem
        : { ...problem, message: `${place}: ${problem.message}` };
    }),
  };
}

/** What the ends of files are judged by. */
interface Facts {
  readonly links: LinkReport;
  readonly streams: Streams;
  readonly now: Date;
  readonly isAwaited: (file: string) => boolean;
}

/** The state of a file, once everything that others say about it is known. */
function settle(report: SegmentReport, facts: Facts): FileVerification {
  const { file, sealed, origin, signedBy, isClosed } = report;
  const { links } = facts;
  const problems: Problem[] = [...report.problems, ...(links.problems.get(file) ?? [])];
  if (report.problems.some(({ state }) => state === "MISSING") && links.mayBeGone(file)) {
    return { file, state: "PRUNED", leaves: sealed.size, entries: sealed.entries, problems: [] };
  }
  const end = endOf(report, facts);
  if (end === "UNCLOSED") {
    const message = isClosed
      ? `ended for ${report.closedFor}, but the segment that followed is not there: a crash or a cut`
      : "no end, and nothing later confirms this one: a crash or a cut";
    problems.push({ state: end, line: 0, message });
  }
  return {
    file,
    state: worstState(problems) ?? end,
    leaves: sealed.size,
    entries: sealed.entries,
    problems,
    ...(signedBy !== undefined && { signedBy }),
    ...(origin !== undefined &&
      sealed.size > 0 && { head: { origin, size: sealed.size, root: sealed.root } }),
  };
}

function endOf(report: SegmentReport, { links, streams, now, isAwaited }: Facts): FileState {
  const { file, kind, isClosed, problems } = report;
  const isAltered = problems.some(({ state }) => state === "TAMPERED" || state === "MISSING");
  if (kind !== "segment" || isAltered || hasTail(report)) return "OK"; // or what its problems say
  if (isClosed) {
    const isExplained = isAwaited(file) || links.isOfRemovalDay(dayOfSegment(file));
    return streams.lacksSuccessor(report) && !isExplained ? "UNCLOSED" : "OK";
  }
  if (streams.isNewest(report) && mayBeWritten(file, now)) return "OPEN";
  return links.confirmed.has(file) ? "OK" : "UNCLOSED";
}

/** What is no regular file is a finding, whatever else is known under its name. */
function withOddities(
  files: readonly FileVerification[],
  odd: readonly SourceFile[],
): FileVerification[] {
  const known = new Map(files.map((file) => [file.file, file]));
  for (const { file, oddity } of odd) {
    const { problems = [], leaves = 0, entries = 0, ...rest } = known.get(file) ?? {};
    const problem: Problem = {
      state: "FOREIGN",
      line: 0,
      message: `${NO_FILE}, but ${oddity?.what}`,
    };
    const all = [problem, ...problems];
    known.set(file, {
      ...rest,
      file,
      leaves,
      entries,
      problems: all,
      state: worstState(all) ?? "FOREIGN",
    });
  }
  return [...known.values()];
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
