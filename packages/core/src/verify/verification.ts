// The result of verification: the vocabulary of docs/verification.md as types.
import type { Checkpoint } from "../seal/note.ts";

/**
 * The state of a file. docs/verification.md explains each.
 *
 * - Altered or incomplete (exit code 1): `TAMPERED` bytes differ from those sealed. `FORK` history
 *   differs from a record elsewhere. `ROLLBACK` shorter than recorded elsewhere. `MISSING`
 *   recorded, and gone without a valid removal.
 * - Not proven (2): `UNREADABLE`, `TORN_TAIL`, `UNSEALED_TAIL`, `UNCLOSED`, `UNSIGNED`,
 *   `UNKNOWN_KEY`, `UNKNOWN_VERSION`, `FOREIGN`, `UNANCHORED`. Of a log as a whole also `UNCHECKED`
 *   and `STALE`.
 * - Proven (0): `OK`, `OPEN`, `PRUNED`, `ARCHIVED`.
 */
export type FileState = keyof typeof STATE_EXIT_CODES;

/** States and their exit codes, worst first: of several findings the first here names the file. */
export const STATE_EXIT_CODES = {
  TAMPERED: 1,
  FORK: 1,
  ROLLBACK: 1,
  MISSING: 1,
  UNREADABLE: 2,
  TORN_TAIL: 2,
  UNSEALED_TAIL: 2,
  UNKNOWN_VERSION: 2,
  FOREIGN: 2,
  UNKNOWN_KEY: 2,
  UNSIGNED: 2,
  UNCLOSED: 2,
  UNCHECKED: 2,
  STALE: 2,
  UNANCHORED: 2,
  PRUNED: 0,
  ARCHIVED: 0,
  OPEN: 0,
  OK: 0,
} as const;

/** 0 proven, 1 altered, 2 not proven, 3 the verifier could not do its work. */
export type ExitCode = 0 | 1 | 2 | 3;

/** One finding. */
export interface Problem {
  readonly state: FileState;
  /** From 1; 0 when it is about the file as a whole. */
  readonly line: number;
  /** Last line of a range, when it could not be narrowed to one line. */
  readonly lastLine?: number;
  /** The entry concerned, where there is exactly one. */
  readonly entryId?: string;
  readonly message: string;
}

/** An earlier state of a tree that an auditor noted outside the log. */
export interface Pin extends Checkpoint {
  /** The log's own signed note of this state. It shows others what the log's key signed. */
  readonly note?: string;
}

/** A state of a segment that an anchor log holds. */
export interface AnchoredState extends Checkpoint {
  /** The record, for messages: `the anchor of 2026-11-30T12:00:00Z`. */
  readonly by: string;
  /**
   * Whether the anchor log holds a later state of the segment. A removal is judged by the last one:
   * the anchorer has verified that it began with the earlier ones.
   */
  readonly isEarlier: boolean;
}

/** An anchor log as evidence about a log. */
export interface AnchorEvidence {
  /** The place given, for messages. */
  readonly location: string;
  readonly states: readonly AnchoredState[];
  /** Problems of the anchor log itself. */
  readonly problems: readonly Problem[];
  /** The rule of the anchor's owner. */
  readonly rules: readonly RetentionRule[];
  readonly report: AnchorReport;
}

/** The findings about one anchor log. */
export interface AnchorReport {
  /** The anchor log's name; undefined where it could not be read. */
  readonly origin?: string;
  /** Its leaves. */
  readonly leaves: number;
  /** Its last checkpoint, for a pin of the whole. */
  readonly head?: Pin;
  /** RFC 3339: all that is anchored by then existed. Absent where nobody vouches for it. */
  readonly through?: string;
  /** RFC 3339: the earliest trusted time. */
  readonly since?: string;
  /** Those who vouch for `through`: none, where it is the anchorer's own clock. */
  readonly by: readonly string[];
  /** Facts that do not count against it, in plain words. */
  readonly remarks: readonly string[];
}

/**
 * The time for which files must be kept. It is the auditor's own rule and never comes from the log.
 */
export interface RetentionRule {
  /** Days from a file's newest entry to the earliest removal. */
  readonly days: number;
  /** RFC 3339: binds files of this UTC day and of later ones. @default files of any day */
  readonly since?: string;
}

/** The findings about one file. */
export interface FileVerification {
  readonly file: string;
  /** The worst of its problems' states, or `OK`, `OPEN`, `PRUNED`, `ARCHIVED`. */
  readonly state: FileState;
  /**
   * Leaves under the last good checkpoint; of a file that is gone the leaves that the log records
   * of it.
   */
  readonly leaves: number;
  /**
   * Entries under the last good checkpoint; of a `FOREIGN` file all entries found, without any
   * proof.
   */
  readonly entries: number;
  readonly problems: readonly Problem[];
  /**
   * Facts that do not count against the log, in plain words: a crash that a later day confirmed,
   * for example.
   */
  readonly remarks: readonly string[];
  /** The key given that signed its checkpoints: `<name>+<key hash>`. */
  readonly signedBy?: string;
  /** The last good checkpoint, with the log's signature: the content of a pin. */
  readonly head?: Pin;
}

/** Entries that a writer could not write, as a sealed `loss` line says. */
export interface RecordedLoss {
  /** The segment with that line. */
  readonly file: string;
  readonly entries: number;
  /** Times of the first and the last of them, RFC 3339. */
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** False where some of the entries may have been written. */
  readonly certain: boolean;
  /** Ids of the first and the last of them, where the line names them. */
  readonly first?: string;
  readonly last?: string;
}

/** A file that is gone, with a sealed line that authorises it. */
export interface RecordedRemoval {
  /** The file removed. */
  readonly file: string;
  readonly state: "PRUNED" | "ARCHIVED";
  readonly leaves: number;
  /** Time, RFC 3339; a UTC day where the line names no time. */
  readonly at: string;
  /** The rule that the remover followed, and who removed. Absent for `ARCHIVED`. */
  readonly policy?: string;
  readonly actor?: string;
  /** Times of the oldest and the newest entry removed; null when there was none. */
  readonly from?: string | null;
  readonly to?: string | null;
  /** The place of an archived file: `s3://bucket/key`. */
  readonly location?: string;
}

/** A legal hold. */
export interface RecordedHold {
  readonly hold: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: string;
  readonly actor: string;
  readonly placed: string;
  /** Absent while the hold is in force. */
  readonly released?: string;
}

/** The destruction of a data subject's secret. */
export interface RecordedErasure {
  /** The segment with that line. */
  readonly file: string;
  readonly subject: string;
  readonly actor: string;
  readonly reason: string;
  /** RFC 3339; absent in older logs. */
  readonly at?: string;
}

/** Calls with a `call.started` line and without an entry. */
export interface UnendedCalls {
  /** In files that no writer writes to any more. */
  readonly neverEnded: number;
  /** In files that are still open. */
  readonly underWay: number;
  /** Whether there were too many to compare: the numbers are then minimums. */
  readonly isAtLeast: boolean;
  /** The ids of the first calls that never ended. */
  readonly first: readonly string[];
}

/** Facts that sealed control lines of a log record. */
export interface LogRecord {
  readonly losses: readonly RecordedLoss[];
  readonly removals: readonly RecordedRemoval[];
  readonly holds: readonly RecordedHold[];
  readonly erasures: readonly RecordedErasure[];
  readonly calls: UnendedCalls;
}

/** The findings about a log. */
export interface Verification extends LogRecord {
  readonly exitCode: ExitCode;
  /** One line in plain words: the findings, their basis, their limits. */
  readonly verdict: string;
  /** Entries under good checkpoints, in all files that are not foreign. */
  readonly entries: number;
  /** Oldest first. */
  readonly files: readonly FileVerification[];
  /** The newest time that a good checkpoint covers, RFC 3339. */
  readonly newest?: string;
  /** The newest pin given that the log agrees with. */
  readonly anchoredTo?: Pin;
  /** The anchor logs given, and what they are worth. */
  readonly anchors: readonly (AnchorReport & { readonly problems: readonly Problem[] })[];
  /** What no anchor log given covers yet. Absent where none vouches for anything. */
  readonly unprotected?: UnprotectedEnd;
  /** Number of pins that were given, and number that the log agrees with. */
  readonly pins: { readonly given: number; readonly confirmed: number };
  /** Facts that could not be read, or that count against no single file, in plain words. */
  readonly remarks: readonly string[];
  /** Files left out of the verdict, because `since` asks for later ones. */
  readonly notJudged?: NotJudged;
  /**
   * With exit code 3, the cause: a code of the system (`EACCES`) or of the server (`NoSuchBucket`).
   */
  readonly failure?: string;
}

/** The newest end of a log, which could still be changed unseen. */
export interface UnprotectedEnd {
  /** Entries behind the last anchored states. */
  readonly entries: number;
  /** Milliseconds from the newest time that is vouched for to the verification. */
  readonly forMs: number;
}

/** Files of earlier days, which were read and not judged. */
export interface NotJudged {
  /** UTC day of the first files judged: `2026-11-23`. */
  readonly before: string;
  readonly files: number;
  /** Number of them that count against the log. */
  readonly notOk: number;
}

/** The worst state of some findings; undefined when there are none. */
export function worstState(
  problems: readonly { readonly state: FileState }[],
): FileState | undefined {
  const states = Object.keys(STATE_EXIT_CODES).filter(isFileState);
  return states.find((state) => problems.some((problem) => problem.state === state));
}

function isFileState(text: string): text is FileState {
  return text in STATE_EXIT_CODES;
}
