// Failures as an operator sees them: one line, the next step, and an exit code for scripts.

/**
 * Exit codes besides the verdicts of `verify` and `check` (0 to 3). Those from 64 on are of
 * sysexits.h, so that no failure is ever taken for a verdict.
 */
export const EXIT = {
  ok: 0,
  /** Nothing matches: no such entry, no entry in the range. */
  nothing: 1,
  /** The verifier could not do its work (docs/format.md, "Integrity"). */
  notVerified: 3,
  /** EX_USAGE: wrong arguments. */
  usage: 64,
  /** EX_DATAERR: a file is malformed. */
  data: 65,
  /** EX_NOINPUT: a location or file does not exist. */
  missing: 66,
  /** EX_UNAVAILABLE: a service does not answer. */
  unavailable: 69,
  /** EX_SOFTWARE: a mistake in this program. */
  internal: 70,
  /** EX_CANTCREAT: an output file cannot be made. */
  cannotCreate: 73,
  /** EX_IOERR: reading or writing failed. */
  io: 74,
  /** EX_NOPERM: the operating system refused. */
  permission: 77,
  /** EX_CONFIG: a key or a setting is missing or wrong. */
  config: 78,
  /** As a shell reports a process that SIGPIPE ended: the reader of the output is gone. */
  brokenPipe: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT] | 2;

/** An error that ends a command. `hint` is the next step, a sentence or a command line. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(exitCode: ExitCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** Wrong arguments. */
export function usageFailure(message: string, hint?: string): Failure {
  return new Failure(EXIT.usage, message, hint);
}

/**
 * An operating system's error as a failure for an operator; undefined for any other error.
 *
 * @param used the path that was used, for errors that do not say (reading a directory as a file)
 */
export function systemFailure(error: unknown, used?: string): Failure | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string")
    return undefined;
  const path = "path" in error && typeof error.path === "string" ? error.path : used;
  const known = SYSTEM_ERRORS[error.code];
  if (known === undefined) {
    return "syscall" in error
      ? new Failure(EXIT.io, error.message, undefined, { cause: error })
      : undefined;
  }
  const [exitCode, message, hint] = known;
  return new Failure(exitCode, path === undefined ? message : `${message}: ${path}`, hint, {
    cause: error,
  });
}

/**
 * The failure for a file that a setting names and that cannot be used: a mistake in the settings.
 *
 * @param remedy the next step, if the system's error has none
 * @param used see `systemFailure()`
 */
export function settingFailure(
  name: string,
  error: unknown,
  remedy: string,
  used?: string,
): Failure {
  const failure = systemFailure(error, used);
  if (failure === undefined) throw error;
  return new Failure(EXIT.config, `${name}: ${failure.message}`, failure.hint ?? remedy, {
    cause: error,
  });
}

const SYSTEM_ERRORS: Readonly<Partial<Record<string, readonly [ExitCode, string, string?]>>> = {
  ENOENT: [EXIT.missing, "no such file or directory"],
  ENOTDIR: [EXIT.missing, "not a directory"],
  EISDIR: [EXIT.data, "a directory, where a file is expected"],
  EACCES: [
    EXIT.permission,
    "permission denied",
    "run as the user that owns the log, or have its owner grant access",
  ],
  EPERM: [
    EXIT.permission,
    "not permitted",
    "run as the user that owns the log, or have its owner grant access",
  ],
  EEXIST: [EXIT.cannotCreate, "already exists", "choose another name, or remove it first"],
  ENOSPC: [EXIT.io, "no space left on the device", "free some space and run the command again"],
  EROFS: [EXIT.cannotCreate, "the file system is read-only"],
  EMFILE: [EXIT.io, "too many open files", "raise the limit: ulimit -n 4096"],
};
