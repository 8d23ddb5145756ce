// One run of the command: its environment, clock and streams.
import type { ExitCode } from "./failure.ts";
import type { Output } from "./output/output.ts";

export interface Session {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The present. */
  readonly now: () => Date;
  readonly out: Output;
  /** Stream of progress and remarks, so that results can be piped. */
  readonly log: Output;
  readonly stdin: NodeJS.ReadStream;
  /** Whether progress is shown: on a terminal that can overwrite a line, and not with --json. */
  showsProgress: boolean;
  /** The exit code of the process. */
  exitCode: ExitCode;
}
