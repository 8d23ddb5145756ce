// Verifies a log from its bytes and the caller's trusted keys, pins and rules alone. Imports
// neither logger nor storage: an auditor can read this folder alone. `examineLog` has the steps in
// their order. Over 300 lines: the order of the steps is the specification.
import { setTimeout as sleep } from "node:timers/promises";
import type { SegmentRef } from "../format/control-line.ts";
import { dayOfSegment } from "../format/segment-name.ts";
import { hasCode } from "../system-error.ts";
import { type ArchivedCopies, readArchivedCopies } from "./archived-copies.ts";
import { CallIds } from "./call-ids.ts";
import { findUnendedCalls } from "./calls.ts";
import { judgeEnd, Streams } from "./ends.ts";
import { findFreshness } from "./freshness.ts";
import { findHolds } from "./holds.ts";
import { readTrustedKeys } from "./trusted-keys.ts";
import type { LogSource, SourceFile, SourcePlace } from "./log-source.ts";
import { checkPins } from "./pin.ts";
import { byName, type ReadSettings, readSegments, type VerifyProgress } from "./read-segments.ts";
import {
  followReferences,
  isPartlyGone,
  type StateReference,
  referencesElsewhere,
  type ReferenceReport,
} from "./references.ts";
import type { FoundRemoval } from "./removals.ts";
import { compareRepeats, type RepeatReport } from "./repeats.ts";
import type { SegmentReport } from "./segment-report.ts";
import { dayWritten, isImported, mayBeWritten } from "./segment-time.ts";
import { couldNotVerify, judge, NO_FILE } from "./verdict.ts";
import {
  type AnchoredState,
  type AnchorEvidence,
  type FileVerification,
  type LogRecord,
  type NotJudged,
  type Pin,
  type Problem,
  type RetentionRule,
  STATE_EXIT_CODES,
  type Verification,
  worstState,
} from "./verification.ts";

export type { VerifyProgress } from "./read-segments.ts";

/** The keys, pins and rules to verify against. */
export interface VerifySourceOptions {
  /**
   * `vkey`s of the keys that may have signed, or `vkey@from..to` for one that is trusted for a
   * time. Keys found in the log are never trusted.
   * @default none: everything signed is UNKNOWN_KEY
   */
  readonly trustedKeys?: readonly string[];
  /** The source of the trust in the keys, for the verdict: `--trust`. @default not stated */
  readonly trustedBy?: string;
  /** States of the log noted earlier. @default none */
  readonly pins?: readonly Pin[];
  /** Anchor logs, read. What they hold counts as pinned. @default none */
  readonly anchors?: readonly AnchorEvidence[];
  /** Milliseconds: an anchor whose `through` is older than this is STALE. @default any age */
  readonly maxAnchorAgeMs?: number;
  /**
   * The time for which files must be kept. A removal that breaks a rule is MISSING. Where several
   * bind a file's day, the last one counts.
   * @default none: the log's own rules are accepted and named, and a removed file that is pinned is
   * UNANCHORED
   */
  readonly retention?: readonly RetentionRule[];
  /**
   * Opens the archive that files were moved to, so that they are read there.
   * @default the archive is not read
   */
  readonly archive?: () => Promise<readonly LogSource[]>;
  /** Milliseconds: a log whose newest sealed time is older than this is STALE. @default any age */
  readonly maxAgeMs?: number;
  /**
   * Whether `maxAgeMs` holds for each writer that did not end in order, not for the log as a whole.
   * @default false
   */
  readonly eachWriter?: boolean;
  /**
   * Whether a segment that its writer found shorter than it remembered counts (UNCLOSED).
   * @default false: it is reported
   */
  readonly strict?: boolean;
  /** Judges only files of this UTC day and of later ones. All are read. @default all files */
  readonly since?: Date;
  /** Called after each chunk read. */
  readonly onProgress?: (progress: VerifyProgress) => void;
  /**
   * The present time, which distinguishes an open segment from an unclosed one.
   * @default the system's clock
   */
  readonly now?: Date;
  /**
   * `last`: the last signature of each file and every root, which together cover all lines; where
   * something is wrong, all signatures of that file. `all`: every signature, which finds flipped
   * bytes in superseded ones too.
   * @default "last"
   */
  readonly signatures?: "all" | "last";
}

/**
 * Verifies one log: integrity, completeness, anchoring. Findings, and also that nothing could be
 * read (exit code 3), are returned, not thrown.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` or `AUDIT_CONFIG_INVALID` when a trusted key or a
 * pin is malformed.
 */
export async function verifySource(
  source: LogSource,
  options: VerifySourceOptions = {},
): Promise<Verification> {
  return verifySources(async () => [source], options);
}

/**
 * `verifySource` for several logs in one place, each complete in itself. The first may hold records
 * of removals from the others.
 * @param open Lists the place; called again where it changed while it was read.
 */
export async function verifySources(
  open: (now: Date) => Promise<readonly LogSource[]>,
  options: VerifySourceOptions,
): Promise<Verification> {
  const settings = resolve(options);
  let isSecondLook = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const sources = await open(settings.now);
      const verification = await verifyOnce(sources, { ...settings, calls: new CallIds() });
      if (isSecondLook || !mayHaveBeenOvertaken(sources, verification, settings.now))
        return verification;
      isSecondLook = true;
    } catch (error) {
      // Retention may remove a file between listing and reading it. A second reading then finds its
      // prune line.
      if (attempt >= MAX_ATTEMPTS || !hasCode(error, "ENOENT"))
        return couldNotVerify(reasonOf(error), { failure: codeOf(error) });
      await sleep(FIRST_PAUSE_MS * 2 ** attempt);
    }
  }
}

/** `VerifySourceOptions`, resolved. */
interface Settings extends ReadSettings {
  readonly anchors: readonly AnchorEvidence[];
  readonly maxAnchorAgeMs: number;
  readonly rules: readonly RetentionRule[];
  readonly archive: (() => Promise<readonly LogSource[]>) | undefined;
  readonly trustedBy: string | undefined;
  readonly maxAgeMs: number;
  readonly eachWriter: boolean;
  readonly strict: boolean;
  readonly since: Date | undefined;
}

function resolve(options: VerifySourceOptions): Omit<Settings, "calls"> {
  const { pins = [], trustedKeys = [], signatures = "last", anchors = [] } = options;
  checkPins(pins);
  return {
    keyring: readTrustedKeys(trustedKeys),
    pins,
    onProgress: options.onProgress ?? (() => {}),
    now: options.now ?? new Date(),
    signatures,
    anchors,
    maxAnchorAgeMs: options.maxAnchorAgeMs ?? Infinity,
    rules: [...anchors.flatMap(({ rules }) => rules), ...(options.retention ?? [])],
    archive: options.archive,
    trustedBy: options.trustedBy,
    maxAgeMs: options.maxAgeMs ?? Infinity,
    eachWriter: options.eachWriter ?? false,
    strict: options.strict ?? false,
    since: options.since,
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The code of an error, or of the one that retries ended with: the system's where it has one, else
 * its name; undefined for a value that is not an error.
 */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.cause instanceof Error) return codeOf(error.cause);
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/**
 * About three seconds in total with the pauses: longer than a large clean-up keeps removing files.
 */
const MAX_ATTEMPTS = 7;
const FIRST_PAUSE_MS = 25;

/**
 * Whether a place that is listed once, page by page, may have been listed too early to call a file
 * missing: writers of today began, or continued, while later pages were read.
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
  settings: Settings,
): Promise<Verification> {
  const logs: LogFindings[] = [];
  const earlier: EarlierLogs = { prunes: [], states: [], holders: [] };
  for (const source of sources) {
    const log = await examineLog(source, settings, earlier);
    logs.push(log);
    for (const prune of log.references.prunes) earlier.prunes.push(prune);
    for (const report of log.reports) {
      for (const state of referencesElsewhere(report)) earlier.states.push(state);
      if (report.hold) earlier.holders.push(report);
    }
  }
  const files = onceEach(logs.flatMap((log) => log.files));
  if (files.length === 0) return couldNotVerify("there is no log here: not one .jsonl file");
  return summarise(files, logs, settings);
}

/** The findings about one of the logs of a place. */
interface LogFindings {
  readonly source: LogSource;
  readonly files: readonly FileVerification[];
  readonly reports: readonly SegmentReport[];
  readonly references: ReferenceReport;
  readonly repeats: RepeatReport;
  readonly failure: unknown;
  readonly firstError: unknown;
}

/** Records in the logs of one place that were read earlier, about later ones. */
interface EarlierLogs {
  readonly prunes: FoundRemoval[];
  readonly states: StateReference[];
  /** Segments that place or release a hold. */
  readonly holders: SegmentReport[];
}

/** One log: its files, and their records of each other. */
async function examineLog(
  source: LogSource,
  settings: Settings,
  earlier: EarlierLogs,
): Promise<LogFindings> {
  const { place } = source;
  const states = place ? earlier.states.flatMap((state) => stateOfLog(state, place.name)) : [];
  const anchored = settings.anchors.flatMap((anchor) => anchor.states);
  const given: readonly (Pin | AnchoredState)[] = [...settings.pins, ...anchored];
  const pins = place ? given.filter((pin) => place.isOfPin(pin)) : given;

  // 1. Examine every file on its own.
  const reading = await readSegments(source, { ...settings, pins }, states.map(refOf));
  const read = place ? reading.reports.map((report) => withPlace(report, place)) : reading.reports;

  // 2. Read in the archive what was moved there.
  const copies = await readArchivedCopies(read, { ...settings, pins });
  const reports = [...read, ...copies.reports];

  // 3. Compare lines that were written a second time.
  const repeats = compareRepeats(reports);

  // 4. Follow what files and pins record of files, and judge the removal of those that are gone.
  const isAwaited = (file: string): boolean => place?.isAwaited(file) === true;
  const references = followReferences(reports, pins, {
    now: settings.now,
    rules: settings.rules,
    holds: findHolds([...earlier.holders, ...reports]),
    prunes: place ? earlier.prunes.flatMap((record) => ofLog(record, place.name)) : [],
    states,
    isAwaited,
    isArchive: place?.isArchive === true,
    mayExpire: place !== undefined,
    isStrict: settings.strict,
    ...(settings.archive && place === undefined && { archived: copies.files }),
    hintOf: hintsFrom((await source.otherNames?.()) ?? []),
  });

  // 5. Settle the end and the state of each file.
  const facts = { references, repeats, copies, streams: new Streams(reports), isAwaited };
  const settled = reports.map((report) => judgeFile(report, { ...facts, now: settings.now }));
  const found = [...settled, ...absentFiles(references, reports)];
  const files = withOddities(found, reading.odd).toSorted(byName);
  const named = place ? files.map((file) => inPlace(file, place)) : files;
  const { failure, firstError } = reading;
  return { source, files: named, reports, references, repeats, failure, firstError };
}

/** Finds what a log records as a whole, and sums up. */
function summarise(
  files: readonly FileVerification[],
  logs: readonly LogFindings[],
  settings: Settings,
): Verification {
  const reports = logs.flatMap((log) => log.reports);
  const { since, now, calls } = settings;
  const judged = since === undefined ? files : files.filter((file) => isSince(file, since));
  const notJudged =
    since && files.length > judged.length ? leftOut(files, judged, since) : undefined;
  if (judged.length === 0 && notJudged !== undefined)
    return couldNotVerify(`no file of ${notJudged.before} or later`, { notJudged });
  const error = logs.map((log) => log.firstError).find((first) => first !== undefined);
  if (error !== undefined && judged.every(({ state }) => state === "UNREADABLE"))
    return couldNotVerify(reasonOf(error), { failure: codeOf(error) });
  const failure = logs.map((log) => log.failure).find((first) => first !== undefined);
  const freshness = findFreshness(reports, settings);
  const imported = reports.flatMap(({ open, isProven }) =>
    open && isProven && isImported(open) ? [dayWritten(open)] : [],
  );
  return judge({
    files: judged,
    pins: settings.pins,
    anchors: settings.anchors,
    entriesLater: countLaterEntries(reports, settings.anchors),
    maxAnchorAgeMs: settings.maxAnchorAgeMs,
    now,
    confirmedPins: settings.pins.filter((pin) =>
      logs.some(({ references }) => references.confirmedPins.includes(pin)),
    ),
    record: recordOf(
      logs,
      reports,
      (report) => mayBeWritten(report.file, now) && !report.isClosed,
      calls,
    ),
    ...freshness,
    uncleanEnds: judged.filter(({ remarks }) => remarks.some((text) => text.startsWith(UNCLEAN)))
      .length,
    imports: new Map(
      [
        ...Map.groupBy(imported, (day) => `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`),
      ].map(([day, { length }]) => [day, length]),
    ),
    repeated: {
      entries: logs.reduce((sum, { repeats }) => sum + repeats.entries, 0),
      reasons: [...new Set(logs.flatMap(({ repeats }) => repeats.reasons))],
    },
    limits: logs.flatMap(({ source }) => source.limits ?? []),
    trustedBy: settings.trustedBy,
    hasRule: settings.rules.length > 0,
    failure:
      failure === undefined ? undefined : { reason: reasonOf(failure), code: codeOf(failure) },
    notJudged,
  });
}

/** Entries behind the last anchored state of each segment. */
function countLaterEntries(
  reports: readonly SegmentReport[],
  anchors: readonly AnchorEvidence[],
): number {
  const last = new Map<string, number>();
  for (const { origin, size } of anchors.flatMap(({ states }) => states))
    last.set(origin, Math.max(size, last.get(origin) ?? 0));
  return reports.reduce((sum, { origin = "", sealed, entriesAt }) => {
    const size = last.get(origin) ?? 0;
    return sum + Math.max(0, sealed.entries - (entriesAt.get(size) ?? 0));
  }, 0);
}

/** The beginning of the remark on a file without its end. */
const UNCLEAN = "without its end (crash or cut)";

/** Facts that sealed lines record: of proven segments, or of all where nothing is proven. */
function recordOf(
  logs: readonly LogFindings[],
  reports: readonly SegmentReport[],
  isOpen: (report: SegmentReport) => boolean,
  calls: CallIds,
): LogRecord {
  const hasProven = reports.some(({ isProven }) => isProven);
  const believed = reports.filter(({ isProven }) => isProven || !hasProven);
  const facts = believed.flatMap(({ file, facts: lines }) => lines.map((line) => ({ file, line })));
  return {
    losses: facts.flatMap(({ file, line }) => {
      if (line.type !== "loss") return [];
      const { entries, from, to, reason, certain = true, first, last } = line;
      const ids = { ...(first !== undefined && { first }), ...(last !== undefined && { last }) };
      return [{ file, entries, from, to, reason, certain, ...ids }];
    }),
    removals: logs.flatMap(({ references, source }) =>
      references.removals.map((removal) => ({
        ...removal,
        file: source.place?.labelOf(removal.file) ?? removal.file,
      })),
    ),
    holds: findHolds(reports),
    erasures: facts.flatMap(({ file, line }) => {
      if (line.type !== "subject.erased") return [];
      const { subject, actor, reason, at } = line;
      return [{ file, subject, actor, reason, ...(at !== undefined && { at }) }];
    }),
    calls: findUnendedCalls(believed, isOpen, calls.isExceeded),
  };
}

/** A file without a day in its name is judged too. */
function isSince({ file }: FileVerification, since: Date): boolean {
  const before = since.toISOString().slice(0, 10);
  return (dayIn(file) ?? before) >= before;
}

/** The UTC day in a file's name, or in its key in a bucket: `2026-11-23`. */
function dayIn(file: string): string | undefined {
  const day = dayOfSegment(file.slice(file.lastIndexOf("/") + 1));
  if (day !== undefined) return `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  return /(?:^|\/)(\d{4}-\d\d-\d\d)\//.exec(file)?.[1];
}

function leftOut(
  files: readonly FileVerification[],
  judged: readonly FileVerification[],
  since: Date,
): NotJudged {
  const older = files.filter((file) => !judged.includes(file));
  const notOk = older.filter(({ state }) => STATE_EXIT_CODES[state] !== 0).length;
  return { before: since.toISOString().slice(0, 10), files: older.length, notOk };
}

/**
 * A removal that one log records of another is a file of both: it is reported once, as the other
 * one records it. No other finding is left out, because an attacker chooses names.
 */
function onceEach(files: readonly FileVerification[]): FileVerification[] {
  const last = new Map(files.map((file) => [file.file, file]));
  return files.filter(
    (file) => file.state !== "PRUNED" || file.problems.length > 0 || last.get(file.file) === file,
  );
}

function refOf({ ref }: StateReference): SegmentRef {
  return ref;
}

function withPlace(report: SegmentReport, place: SourcePlace): SegmentReport {
  return { ...report, problems: [...place.problemsOf(report), ...report.problems] };
}

/** A recorded state as the log concerned spells its file: without its name. */
function stateOfLog({ ref, from }: StateReference, name: string): StateReference[] {
  const isOfIt = name !== "" && ref.file.startsWith(`${name}/`);
  return isOfIt ? [{ ref: { ...ref, file: ref.file.slice(name.length + 1) }, from }] : [];
}

/** The record of a removal as the log concerned spells it: without its name. */
function ofLog(record: FoundRemoval, name: string): FoundRemoval[] {
  const { prune } = record;
  const isOfIt = name !== "" && prune.file.startsWith(`${name}/`);
  return isOfIt
    ? [{ ...record, prune: { ...prune, file: prune.file.slice(name.length + 1) } }]
    : [];
}

/** Names and places as the log's place spells them. */
function inPlace(verification: FileVerification, place: SourcePlace): FileVerification {
  const { file, problems } = verification;
  return {
    ...verification,
    file: place.labelOf(file),
    problems: problems.map((problem) => {
      const [from, to] = [
        place.placeOf(file, problem.line),
        place.placeOf(file, problem.lastLine ?? problem.line),
      ];
      const at = from === to || to === undefined ? from : `${from ?? ""} to ${to}`;
      return at === undefined ? problem : { ...problem, message: `${at}: ${problem.message}` };
    }),
  };
}

/**
 * Copies of a file made by other tools, which are not read as segments.
 */
const COPY_ENDINGS = [".gz", ".zst", ".bz2", ".xz", ".1", ".bak", ".old", "~"];

/** The possible fate of a file that is gone or cut, by the names beside it. */
function hintsFrom(names: readonly string[]): (file: string) => string | undefined {
  return (file) => {
    const copy = COPY_ENDINGS.map((ending) => file + ending).find((name) => names.includes(name));
    return copy === undefined
      ? undefined
      : `${copy} lies beside it: was it rotated by another tool?`;
  };
}

/** The facts that settle the state of a file. */
interface JudgeFacts {
  readonly references: ReferenceReport;
  readonly repeats: RepeatReport;
  readonly copies: ArchivedCopies;
  readonly streams: Streams;
  readonly now: Date;
  readonly isAwaited: (file: string) => boolean;
}

/** The state of a file, once all records of it are known. */
function judgeFile(given: SegmentReport, facts: JudgeFacts): FileVerification {
  const { references, repeats, copies, streams, now, isAwaited } = facts;
  const { file, sealed, origin, signedBy, note } = given;
  const settledByRepeat = repeats.settled.get(file);
  const report = settledByRepeat
    ? { ...given, problems: given.problems.filter(({ state }) => state !== "UNSEALED_TAIL") }
    : given;
  const removal = isPartlyGone(report) ? references.absent.get(file)?.state : undefined;
  const isRemoved = removal === "PRUNED";
  const end = judgeEnd(report, {
    streams,
    now,
    confirmation: references.confirmed.get(file),
    isSuccessorExcused: isAwaited(file) || references.isOfRemovalDay(dayOfSegment(file)),
  });
  // The remains of a removed file count only if they were altered.
  const own = isRemoved
    ? end.problems.filter(({ state }) => state !== "MISSING" && STATE_EXIT_CODES[state] === 1)
    : end.problems;
  const problems = [
    ...own.filter(({ state }) => state !== "UNCLOSED"),
    ...(references.problems.get(file) ?? []),
    ...(repeats.problems.get(file) ?? []),
    ...own.filter(({ state }) => state === "UNCLOSED"),
  ];
  const kept = copies.files.has(file) ? "ARCHIVED" : end.state;
  return {
    file,
    state: worstState(problems) ?? (isRemoved ? "PRUNED" : kept),
    leaves: sealed.size,
    entries: sealed.entries - (settledByRepeat?.entries ?? 0),
    problems,
    remarks: [
      ...end.remarks,
      ...(settledByRepeat ? [settledByRepeat.remark] : []),
      ...(isRemoved
        ? given.problems.flatMap(({ state, message }) => (state === "MISSING" ? [message] : []))
        : []),
      ...(references.remarks.get(file) ?? []),
    ],
    ...(signedBy !== undefined && { signedBy }),
    ...(origin !== undefined &&
      sealed.size > 0 && {
        head: { origin, size: sealed.size, root: sealed.root, ...(note !== undefined && { note }) },
      }),
  };
}

/** A file that is not regular is a finding, whatever else has its name. */
function withOddities(
  files: readonly FileVerification[],
  odd: readonly SourceFile[],
): FileVerification[] {
  const known = new Map(files.map((file) => [file.file, file]));
  for (const { file, oddity } of odd) {
    const { problems = [], remarks = [], leaves = 0, entries = 0, ...rest } = known.get(file) ?? {};
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
      remarks,
      state: worstState(all) ?? "FOREIGN",
    });
  }
  return [...known.values()];
}

/** Files that are gone as a whole. */
function absentFiles(
  { absent, problems, remarks }: ReferenceReport,
  reports: readonly SegmentReport[],
): FileVerification[] {
  const there = new Set(reports.map(({ file }) => file));
  return [...absent]
    .filter(([file]) => !there.has(file))
    .map(([file, { state, leaves }]) => {
      const found = problems.get(file) ?? [];
      return {
        file,
        state: worstState(found) ?? state,
        leaves,
        entries: 0,
        problems: found,
        remarks: remarks.get(file) ?? [],
      };
    });
}
