// The verdict in one line of plain words: the findings, their basis, and their limits. Over 300
// lines: one function for each clause of the line, in its order.
import { safeLine } from "../format/safe-text.ts";
import type { SourceLimit } from "./log-source.ts";
import { MORE_GONE } from "./references.ts";
import {
  type AnchorEvidence,
  type ExitCode,
  type FileState,
  type FileVerification,
  type LogRecord,
  type NotJudged,
  type Pin,
  type RecordedRemoval,
  STATE_EXIT_CODES,
  type Verification,
  worstState,
} from "./verification.ts";

/** The facts behind a verdict. */
export interface Evidence {
  /** Oldest first. */
  readonly files: readonly FileVerification[];
  /** Anchor logs given. */
  readonly anchors: readonly AnchorEvidence[];
  /** Entries behind what is anchored. */
  readonly entriesLater: number;
  readonly maxAnchorAgeMs: number;
  readonly now: Date;
  /** Pins given. */
  readonly pins: readonly Pin[];
  /** Those of them that the log agrees with. */
  readonly confirmedPins: readonly Pin[];
  readonly record: LogRecord;
  /** The newest time that is sealed, in milliseconds since the epoch. */
  readonly newest: number | undefined;
  /** Why the log counts as too old; none where it does not, or without `maxAgeMs`. */
  readonly stale: readonly string[];
  /** Files without an end line, as a later day confirmed. */
  readonly uncleanEnds: number;
  /**
   * Files written on a later day than their name's, by the day on which they were: `2026-11-30`.
   */
  readonly imports: ReadonlyMap<string, number>;
  /** Entries that were written twice after a failed write, with the reasons. */
  readonly repeated: { readonly entries: number; readonly reasons: readonly string[] };
  readonly limits: readonly SourceLimit[];
  /** Further facts in plain words. */
  readonly remarks: readonly string[];
  /** The source of the trust in the keys: `--trust`. */
  readonly trustedBy: string | undefined;
  /** Whether a rule was given that removals are judged by. */
  readonly hasRule: boolean;
  /** The error that kept a part of the log from being read. */
  readonly failure: { readonly reason: string; readonly code: string | undefined } | undefined;
  readonly notJudged: NotJudged | undefined;
}

/**
 * Sums up. 1 beats 3, and 3 beats 2: a finding stands even where the rest could not be read.
 */
export function judge(evidence: Evidence): Verification {
  const { pins, confirmedPins, record, failure, notJudged, limits } = evidence;
  const files = evidence.files.map(withSafeTexts);
  const anchoredTo = newestPin(confirmedPins, files);
  const states = [...files.map(({ state }) => state), ...statesOfLog(evidence)];
  const exitCode = exitCodeOf(states, failure !== undefined);
  const entries = sum(files.filter(isVouchedFor).map((file) => file.entries));
  const word = worstState(
    states.filter((state) => STATE_EXIT_CODES[state] > 0).map((state) => ({ state })),
  );
  const newest = evidence.newest === undefined ? undefined : isoOf(evidence.newest);
  const clauses = [
    `${plural(entries, "entry", "entries")} in ${plural(files.filter(isThere).length, "file")}`,
    ...worstProblem(files, exitCode),
    ...anchorProblems(evidence),
    ...(failure === undefined || exitCode !== 1 ? [] : [`not all was read: ${failure.reason}`]),
    ...sealClauses(files, evidence.trustedBy),
    ...stateClauses(files),
    ...removalClauses(files, evidence),
    ...recordClauses(evidence),
    ...limits.map(({ message }) => message),
    ...evidence.remarks,
    ...evidence.stale,
    ...(newest === undefined ? [] : [`newest sealed time ${newest}`]),
    ...anchorClauses(anchoredTo, evidence),
    ...(notJudged === undefined ? [] : [notJudgedClause(notJudged)]),
  ];
  const since = notJudged === undefined ? "" : ` since ${notJudged.before}`;
  const begin = exitCode === 3 ? `NOT VERIFIED: ${failure?.reason}; ` : `${word ?? "OK"}${since}: `;
  return {
    exitCode,
    verdict: safeLine(begin + clauses.join("; ")),
    entries,
    files,
    ...record,
    ...(newest !== undefined && { newest }),
    ...(anchoredTo && { anchoredTo }),
    anchors: evidence.anchors.map(({ report, problems }) => ({ ...report, problems })),
    ...unprotectedEnd(evidence),
    pins: { given: pins.length, confirmed: confirmedPins.length },
    remarks: [...limits.map(({ message }) => message), ...evidence.remarks].map(safeLine),
    ...(notJudged && { notJudged }),
    ...(exitCode === 3 && failure?.code !== undefined && { failure: failure.code }),
  };
}

/**
 * The verifier could not do its work. No conclusion is possible, least of all that the log is
 * intact. `failure`: see `Verification`.
 */
export function couldNotVerify(
  reason: string,
  { failure, notJudged }: { failure?: string | undefined; notJudged?: NotJudged } = {},
): Verification {
  const rest = notJudged === undefined ? "" : `; ${notJudgedClause(notJudged)}`;
  return {
    exitCode: 3,
    verdict: safeLine(`NOT VERIFIED: ${reason}${rest}`),
    entries: 0,
    files: [],
    ...NOTHING_RECORDED,
    anchors: [],
    pins: { given: 0, confirmed: 0 },
    remarks: [],
    ...(notJudged && { notJudged }),
    ...(failure !== undefined && { failure }),
  };
}

const NOTHING_RECORDED: LogRecord = {
  losses: [],
  removals: [],
  holds: [],
  erasures: [],
  calls: { neverEnded: 0, underWay: 0, isAtLeast: false, first: [] },
};

/** States of the log as a whole, beside those of its files. */
function statesOfLog(evidence: Evidence): FileState[] {
  const { pins, confirmedPins, stale, limits, anchors } = evidence;
  return [
    ...anchors.flatMap(({ problems }) => problems.map(({ state }) => state)),
    ...(anchors.some((anchor) => isAnchorStale(anchor, evidence)) ? ["STALE" as const] : []),
    ...(pins.length > 0 && confirmedPins.length === 0 ? ["UNANCHORED" as const] : []),
    ...(stale.length > 0 ? ["STALE" as const] : []),
    ...(limits.some(({ counts }) => counts) ? ["UNCHECKED" as const] : []),
  ];
}

/**
 * An attacker chooses names of files, of keys and in lines: none may pass for words of the
 * verifier.
 */
function withSafeTexts(file: FileVerification): FileVerification {
  return {
    ...file,
    problems: file.problems.map((problem) => ({ ...problem, message: safeLine(problem.message) })),
    remarks: file.remarks.map(safeLine),
  };
}

function exitCodeOf(states: readonly FileState[], hasFailed: boolean): ExitCode {
  const codes = states.map((state) => STATE_EXIT_CODES[state]);
  if (codes.includes(1)) return 1;
  if (hasFailed) return 3;
  return codes.includes(2) ? 2 : 0;
}

function worstProblem(files: readonly FileVerification[], exitCode: ExitCode): string[] {
  if (exitCode !== 1) return [];
  const found = files.flatMap(({ file, problems }) =>
    problems
      .filter(({ state }) => STATE_EXIT_CODES[state] === 1)
      .map((problem) => ({ file, ...problem })),
  );
  const state = worstState(found);
  const first = found.find((problem) => problem.state === state);
  if (first === undefined) return [];
  const { file, line, lastLine, entryId, message } = first;
  const place =
    line === 0 ? "" : lastLine === undefined ? ` line ${line}` : ` lines ${line} to ${lastLine}`;
  const entry = entryId === undefined ? "" : `, entry ${entryId}`;
  const more = found.length > 1 ? ` (and ${plural(found.length - 1, "more problem")})` : "";
  return [`${file}${place}${entry}: ${message}${more}`];
}

function sealClauses(files: readonly FileVerification[], trustedBy: string | undefined): string[] {
  const keys = [...new Set(files.map((file) => file.signedBy).filter((key) => key !== undefined))];
  const trust = trustedBy === undefined ? "" : ` (trusted by ${trustedBy})`;
  const unsigned = filesWith(files, "UNSIGNED");
  const unknown = filesWith(files, "UNKNOWN_KEY");
  const messages = new Set(
    unknown.flatMap(({ problems }) =>
      problems.filter(({ state }) => state === "UNKNOWN_KEY").map(({ message }) => message),
    ),
  );
  return [
    ...(keys.length > 0 ? [`sealed by ${keys.join(", ")}${trust}`] : []),
    ...(unsigned.length > 0
      ? [
          `${plural(unsigned.length, "file")} not signed: accidents show, an attacker who recomputes the tree does not`,
        ]
      : []),
    ...(unknown.length > 0
      ? [`${plural(unknown.length, "file")} ${[...messages].join(", ")}`]
      : []),
  ];
}

function stateClauses(files: readonly FileVerification[]): string[] {
  const clause = (state: FileState, text: string): string[] => {
    const count = filesWith(files, state).length;
    return count === 0 ? [] : [`${plural(count, "file")} ${text}`];
  };
  const firstOf = (state: FileState): string =>
    filesWith(files, state)
      .slice(0, MAX_NAMED)
      .map(
        ({ file, problems }) =>
          `${file}: ${problems.find((problem) => problem.state === state)?.message}`,
      )
      .join(", ");
  const unreadable = filesWith(files, "UNREADABLE").length;
  const isMoreGone = files.some(({ remarks }) =>
    remarks.some((text) => text.startsWith(MORE_GONE)),
  );
  return [
    ...(isMoreGone ? [`${MORE_GONE}: a missing file may have been the only record of others`] : []),
    ...clause("OPEN", "still open"),
    ...(unreadable === 0
      ? []
      : [`${plural(unreadable, "file")} unreadable (${firstOf("UNREADABLE")})`]),
    ...clause("UNCLOSED", "without an end, or without the one after it: a crash or a cut"),
    ...clause("TORN_TAIL", "with a torn end"),
    ...clause("UNSEALED_TAIL", "with lines after the last checkpoint"),
    ...clause("UNKNOWN_VERSION", "of an unknown format version"),
    ...foreignClauses(files),
  ];
}

/** At most this many files, rules or losses are named in one line. */
const MAX_NAMED = 3;

/** Removals by actor and rule. */
function removalClauses(
  files: readonly FileVerification[],
  { record, hasRule }: Evidence,
): string[] {
  const pruned = files.filter(
    ({ state, problems }) => state === "PRUNED" || problems.some(isOfPin),
  );
  const gone = new Set(pruned.map(({ file }) => file));
  const known = record.removals.filter(({ file, state }) => state === "PRUNED" && gone.has(file));
  const groups = [...Map.groupBy(known, spellRule)];
  const rest = pruned.length - known.length;
  const authority = hasRule ? "within your rule" : "as the log itself authorises";
  const archived = filesWith(files, "ARCHIVED");
  const notLookedAt = archived.filter(({ head }) => head === undefined).length;
  return [
    ...groups
      .slice(0, MAX_NAMED)
      .map(
        ([rule, removals]) => `${plural(removals.length, "file")} removed ${rule}, ${authority}`,
      ),
    ...(groups.length > MAX_NAMED
      ? [
          `${plural(sum(groups.slice(MAX_NAMED).map(([, { length }]) => length)), "file")} removed under other rules, ${authority}`,
        ]
      : []),
    ...(rest > 0 ? [`${plural(rest, "file")} removed by the bucket's own rule`] : []),
    ...(notLookedAt > 0
      ? [`${plural(notLookedAt, "file")} moved to an archive, which was not read`]
      : []),
    ...(archived.length > notLookedAt
      ? [`${plural(archived.length - notLookedAt, "file")} read in the archive`]
      : []),
  ];
}

function isOfPin({ state, message }: { state: FileState; message: string }): boolean {
  return state === "UNANCHORED" && /^(?:pinned|anchored), and removed/.test(message);
}

function spellRule({ actor, policy }: RecordedRemoval): string {
  return `by ${actor} under '${policy}'`;
}

/** Facts that sealed lines of the log record. */
function recordClauses({ record, uncleanEnds, imports, repeated }: Evidence): string[] {
  const { losses, calls, erasures } = record;
  const inForce = record.holds.filter(({ released }) => released === undefined);
  const least = calls.isAtLeast ? "at least " : "";
  const byReason = [
    ...Map.groupBy(
      losses,
      ({ certain, from, reason }) =>
        `${certain ? "lost" : "that may be lost"} on ${from.slice(0, 10)}, ${reason}`,
    ),
  ];
  const lost = byReason.map(
    ([when, lines]) =>
      `${plural(sum(lines.map(({ entries }) => entries)), "entry", "entries")} ${when}`,
  );
  return [
    ...lost.slice(0, MAX_NAMED),
    ...(lost.length > MAX_NAMED
      ? [
          `${plural(sum(byReason.slice(MAX_NAMED).flatMap(([, lines]) => lines.map(({ entries }) => entries))), "entry", "entries")} lost, or perhaps lost, at other times`,
        ]
      : []),
    ...(calls.neverEnded > 0
      ? [`${least}${plural(calls.neverEnded, "call")} begun and never ended`]
      : []),
    ...(calls.underWay > 0 ? [`${least}${plural(calls.underWay, "call")} under way`] : []),
    ...(repeated.entries > 0
      ? [
          `${plural(repeated.entries, "entry", "entries")} written twice after ${repeated.reasons.join(", ")}`,
        ]
      : []),
    ...(uncleanEnds > 0
      ? [
          `${plural(uncleanEnds, "file")} ended without ${uncleanEnds === 1 ? "its" : "their"} end (crash or cut)`,
        ]
      : []),
    ...(erasures.length > 0 ? [`${plural(erasures.length, "person", "persons")} erased`] : []),
    ...(inForce.length > 0 ? [`${plural(inForce.length, "hold")} in force`] : []),
    ...[...imports].map(([day, count]) => `${plural(count, "file")} imported on ${day}`),
  ];
}

/** The beginning of the message about a file that is not regular. */
export const NO_FILE = "no regular file";

function foreignClauses(files: readonly FileVerification[]): string[] {
  const foreign = filesWith(files, "FOREIGN");
  const odd = foreign.filter(({ problems }) =>
    problems.some(({ message }) => message.startsWith(NO_FILE)),
  );
  const others = foreign.length - odd.length;
  return [
    ...(others > 0
      ? [`${plural(others, "file")} not written by this library, which nothing vouches for`]
      : []),
    ...odd.map(
      ({ file, problems }) =>
        `${file}: ${problems.find(({ message }) => message.startsWith(NO_FILE))?.message}`,
    ),
  ];
}

/** What is wrong with the anchor logs themselves. */
function anchorProblems({ anchors }: Evidence): string[] {
  return anchors.flatMap(({ location, problems }) =>
    problems.map(({ message }) => `anchor log ${location}: ${message}`),
  );
}

function anchorClauses(anchoredTo: Pin | undefined, evidence: Evidence): string[] {
  const { anchors, pins } = evidence;
  const clauses = anchors.flatMap((anchor) => anchoredThrough(anchor, evidence));
  const hasPins = pins.length > 0 || anchors.length === 0;
  return hasPins ? [...clauses, pinClause(anchoredTo, evidence)] : clauses;
}

function anchoredThrough(anchor: AnchorEvidence, evidence: Evidence): string[] {
  const { through, by, remarks } = anchor.report;
  if (through === undefined) return [...remarks];
  const who =
    by.length > 0
      ? by.join(" and ")
      : "the anchorer's own clock, with nobody beyond its reach to confirm it";
  const stale = isAnchorStale(anchor, evidence)
    ? [`the anchor is older than ${spellAge(evidence.maxAnchorAgeMs)}`]
    : [];
  return [
    `anchored through ${through} by ${who}`,
    `${plural(evidence.entriesLater, "entry", "entries")} later`,
    `unprotected window ${spellAge(ageOf(through, evidence))}`,
    ...stale,
    ...remarks,
  ];
}

function ageOf(through: string, { now }: Evidence): number {
  return Math.max(0, now.getTime() - Date.parse(through));
}

function unprotectedEnd(evidence: Evidence): Pick<Verification, "unprotected"> {
  const ages = evidence.anchors.flatMap(({ report: { through } }) =>
    through === undefined ? [] : ageOf(through, evidence),
  );
  if (ages.length === 0) return {};
  return { unprotected: { entries: evidence.entriesLater, forMs: Math.min(...ages) } };
}

function isAnchorStale({ report }: AnchorEvidence, { now, maxAnchorAgeMs }: Evidence): boolean {
  if (maxAnchorAgeMs === Infinity) return false;
  return now.getTime() - Date.parse(report.through ?? "1970-01-01T00:00:00Z") > maxAnchorAgeMs;
}

/** Milliseconds in the largest unit that keeps two digits: `41 s`, `90 min`, `26 h`, `12 d`. */
function spellAge(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 120 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

function pinClause(anchoredTo: Pin | undefined, { pins, confirmedPins }: Evidence): string {
  const count =
    pins.length > 1 ? ` (${confirmedPins.length} of ${pins.length} pins confirmed)` : "";
  if (anchoredTo !== undefined)
    return `anchored to ${anchoredTo.origin} at ${plural(anchoredTo.size, "leaf", "leaves")}${count}`;
  return pins.length > 0
    ? `not anchored: none of the given pins fits`
    : "not anchored: a cut-off newest end would not show";
}

function notJudgedClause({ files, notOk }: NotJudged): string {
  const state = notOk === 0 ? "all of them OK" : `${notOk} of them not OK`;
  return `not judged: ${plural(files, "file")} of earlier days, ${state}`;
}

function filesWith(files: readonly FileVerification[], state: FileState): FileVerification[] {
  return files.filter(
    (file) => file.state === state || file.problems.some((problem) => problem.state === state),
  );
}

function isVouchedFor({ state }: FileVerification): boolean {
  return state !== "FOREIGN";
}

function isThere({ state, head }: FileVerification): boolean {
  if (state === "ARCHIVED") return head !== undefined;
  return state !== "MISSING" && state !== "PRUNED" && state !== "UNANCHORED";
}

/** The pin of the newest file, and there the largest. */
function newestPin(pins: readonly Pin[], files: readonly FileVerification[]): Pin | undefined {
  const place = (pin: Pin): number => files.findIndex(({ head }) => head?.origin === pin.origin);
  return pins.toSorted((a, b) => place(a) - place(b) || a.size - b.size).at(-1);
}

function isoOf(time: number): string {
  return new Date(time).toISOString();
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
