// Failed writes: the part of a commit that may be in the log, and the line that supersedes it.
import { formatControlLine } from "../format/control-line.ts";
import type { PendingLine } from "./commit.ts";

/**
 * A failed write after which the entries may be in the log anyway: a sync failed, or the file
 * system did not answer.
 */
export class UncertainWrite extends Error {
  override readonly name: string = "UncertainWrite";
  override readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}

/** A commit that was refused without a try, because the file system does not answer. */
export class UntriedWrite extends Error {
  override readonly name: string = "UntriedWrite";
  override readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}

/** A commit that failed after it was handed to its segment. */
export class FailedCommit extends Error {
  override readonly cause: Error;
  /**
   * The segment, and the index in its tree of the commit's first line; undefined where the segment
   * holds no byte, or cannot be read.
   */
  readonly at: { readonly file: string; readonly leaf: number } | undefined;
  /** Whether the segment may hold all of the commit. */
  readonly isUncertain: boolean;

  constructor(cause: unknown, at: FailedCommit["at"], isUncertain: boolean) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    super(error.message);
    this.cause = error;
    this.at = at;
    this.isUncertain = isUncertain;
  }
}

/**
 * The `again` line of a second try. It supersedes the segment of the first one, from the place of
 * the failed commit on.
 */
export function againLine(
  { file, leaf }: NonNullable<FailedCommit["at"]>,
  lines: readonly PendingLine[],
  cause: Error,
): PendingLine {
  const ids = lines.flatMap(({ id }) => id ?? []);
  const line = formatControlLine({
    type: "again",
    file,
    leaf,
    first: ids[0] ?? null,
    last: ids.at(-1) ?? null,
    count: lines.length,
    reason: "code" in cause ? String(cause.code) : cause.message,
  });
  return controlLine(line);
}

/** A control line as the lane takes it. */
export function controlLine(line: string): PendingLine {
  return { line, id: undefined, bytes: Buffer.byteLength(line) };
}
