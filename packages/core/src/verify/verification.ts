// What verification finds: the vocabulary of docs/format.md, section 3, as types.
import type { Checkpoint } from "../seal/note.ts";

/**
 * The state of a file.
 *
 * - `OK` closed, or confirmed by its writer's next segment or one of a later day. `OPEN` a writer's newest, of this UTC day. `PRUNED` removed, and the
 *   log itself authorises it. `ARCHIVED` removed from a directory once an archive had it; the archive is not looked at.
 * - `TAMPERED` its bytes are not what was sealed. `FORK` another history than recorded elsewhere. `ROLLBACK` shorter
 *   than recorded elsewhere. `MISSING` recorded, and gone.
 * - `TORN_TAIL` the last line is not whole. `UNSEALED_TAIL` whole lines after the last checkpoint. `UNCLOSED` an
 *   older file without an end, or a full one without the next: a crash or a cut. `UNSIGNED`, `UNKNOWN_KEY` consistent in itself, but nobody given
 *   vouches for it. `UNKNOWN_VERSION` a later format. `FOREIGN` not written by this library, or no
 *   regular file.
 */
export type FileState = keyof typeof STATE_EXIT_CODES;

/** States and what they mean for the exit code, worst first: of several findings the first here names the file. */
export const STATE_EXIT_CODES = {
  TAMPERED: 1,
  FORK: 1,
  ROLLBACK: 1,
  MISSING: 1,
  TORN_TAIL: 2,
  UNSEALED_TAIL: 2,
  UNKNOWN_VERSION: 2,
  FOREIGN: 2,
  UNKNOWN_KEY: 2,
  UNSIGNED: 2,
  UNCLOSED: 2,
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

/** An earlier state of a tree that somebody other than the log's keeper noted. */
export type Pin = Checkpoint;

/** What was found about one file. */
export interface FileVerification {
  readonly file: string;
  /** The worst of its problems' states, or `OK`, `OPEN`, `PRUNED`, `ARCHIVED`. */
  readonly state: FileState;
  /** Leaves under the last good checkpoint; of a `PRUNED` or `MISSING` file what the log says of it. */
  readonly leaves: number;
  /** Entries under the last good checkpoint; of a `FOREIGN` file the entries found, which nothing vouches for. */
  readonly entries: number;
  readonly problems: readonly Problem[];
  /** Name of the key given that its checkpoints are signed by. */
  readonly signedBy?: string;
  /** The last good checkpoint: what a pin would note. */
  readonly head?: Pin;
}

/** What verification found. */
export interface Verification {
  readonly exitCode: ExitCode;
  /** One line in plain words: what was found, what it rests on, what it could not know. */
  readonly verdict: string;
  /** Entries under good checkpoints, in all files that are not foreign. */
  readonly entries: number;
  /** Oldest first. */
  readonly files: readonly FileVerification[];
  /** The newest pin given that the log agrees with. */
  readonly anchoredTo?: Pin;
  /** With exit code 3, what kept the verifier from its work: a code of the system (`EACCES`) or the server (`NoSuchBucket`). */
  readonly failure?: string;
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
