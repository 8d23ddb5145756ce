// The verdict in one line of plain words: what was found, what it rests on, and what it could not know.
import { safeLine } from "../format/safe-text.ts";
import {
  type ExitCode,
  type FileVerification,
  type Pin,
  STATE_EXIT_CODES,
  type Verification,
  worstState,
} from "./verification.ts";

/** Everything a verdict is made of. */
export interface Evidence {
  /** Oldest first. */
  readonly files: readonly FileVerification[];
  /** Pins given. */
  readonly pins: readonly Pin[];
  /** Those of them that the log agrees with. */
  readonly confirmedPins: readonly Pin[];
  readonly signatures: "all" | "last";
}

/** Sums up. The exit code is that of the worst file; 2 when pins were given and none fits. */
export function judge(evidence: Evidence): Verification {
  const { pins, confirmedPins } = evidence;
  const files = evidence.files.map(withSafeMessages);
  const isUnanchored = pins.length > 0 && confirmedPins.length === 0;
  const anchoredTo = newest(confirmedPins, files);
  const codes = files.map(({ state }) => STATE_EXIT_CODES[state]);
  const exitCode = worstOf([...codes, isUnanchored ? 2 : 0]);
  const entries = sum(files.filter(isVouchedFor).map((file) => file.entries));
  const word =
    worstState(files.filter(({ state }) => STATE_EXIT_CODES[state] > 0)) ??
    (isUnanchored ? "UNANCHORED" : "OK");
  const clauses = [
    `${plural(entries, "entry", "entries")} in ${plural(files.filter(isThere).length, "file")}`,
    ...worstProblem(files, exitCode),
    ...sealClauses(files),
    ...stateClauses(files),
    ...(evidence.signatures === "last" ? ["of each file only the last signature was checked"] : []),
    anchorClause(anchoredTo, isUnanchored),
  ];
  return {
    exitCode,
    verdict: safeLine(`${word}: ${clauses.join("; ")}`),
    entries,
    files,
    ...(anchoredTo && { anchoredTo }),
  };
}

/**
 * The verifier could not do its work. Nothing may be concluded, least of all that all is well. `failure`: see
 * `Verification`.
 */
export function couldNotVerify(reason: string, failure?: string): Verification {
  const verdict = safeLine(`NOT VERIFIED: ${reason}`);
  return { exitCode: 3, verdict, entries: 0, files: [], ...(failure !== undefined && { failure }) };
}

/** Names of files, of keys and in lines are whatever somebody wrote there: none may pass for words of the verifier. */
function withSafeMessages(file: FileVerification): FileVerification {
  return {
    ...file,
    problems: file.problems.map((problem) => ({ ...problem, message: safeLine(problem.message) })),
  };
}

function worstOf(codes: readonly ExitCode[]): ExitCode {
  return codes.includes(1) ? 1 : codes.includes(2) ? 2 : 0;
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

function sealClauses(files: readonly FileVerification[]): string[] {
  const names = [
    ...new Set(files.map((file) => file.signedBy).filter((name) => name !== undefined)),
  ];
  const unsigned = filesWith(files, "UNSIGNED");
  const unknown = filesWith(files, "UNKNOWN_KEY");
  const messages = new Set(
    unknown.flatMap(({ problems }) =>
      problems.filter(({ state }) => state === "UNKNOWN_KEY").map(({ message }) => message),
    ),
  );
  return [
    ...(names.length > 0 ? [`sealed by ${names.join(", ")}`] : []),
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
  const clause = (state: FileVerification["state"], text: string): string[] => {
    const count = filesWith(files, state).length;
    return count === 0 ? [] : [`${plural(count, "file")} ${text}`];
  };
  return [
    ...clause("OPEN", "still open"),
    ...clause("PRUNED", "removed as the log itself authorises"),
    ...clause("ARCHIVED", "moved to an archive, which was not looked at"),
    ...clause("UNCLOSED", "without an end, or without the one after it: a crash or a cut"),
    ...clause("TORN_TAIL", "with a torn end"),
    ...clause("UNSEALED_TAIL", "with lines after the last checkpoint"),
    ...clause("UNKNOWN_VERSION", "of an unknown format version"),
    ...foreignClauses(files),
  ];
}

/** What begins the message about something that is no regular file. */
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

function anchorClause(anchoredTo: Pin | undefined, isUnanchored: boolean): string {
  if (anchoredTo !== undefined)
    return `anchored to ${anchoredTo.origin} at ${plural(anchoredTo.size, "leaf", "leaves")}`;
  return isUnanchored
    ? "not anchored: no pin that was given fits"
    : "not anchored: a cut-off newest end would not show";
}

function filesWith(
  files: readonly FileVerification[],
  state: FileVerification["state"],
): FileVerification[] {
  return files.filter(
    (file) => file.state === state || file.problems.some((problem) => problem.state === state),
  );
}

function isVouchedFor({ state }: FileVerification): boolean {
  return state !== "FOREIGN";
}

function isThere({ state }: FileVerification): boolean {
  return state !== "MISSING" && state !== "PRUNED" && state !== "ARCHIVED";
}

/** The pin of the newest file, and there the largest. */
function newest(pins: readonly Pin[], files: readonly FileVerification[]): Pin | undefined {
  const place = (pin: Pin): number => files.findIndex(({ head }) => head?.origin === pin.origin);
  return pins.toSorted((a, b) => place(a) - place(b) || a.size - b.size).at(-1);
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
