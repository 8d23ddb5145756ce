// What one run of the command works with: its environment, its clock, its streams.
import type { ExitCode } from "./failure.ts";
import type { Output } from "./output/output.ts";

export interface Session {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The present. */
  readonly now: () => Date;
  readonly out: Output;
  /** Where progress and remarks go, so that results can be piped. */
  readonly log: Output;
  readonly stdin: NodeJS.ReadStream;
  /**
   * Whether a person sees how far a task is: on a terminal that can overwrite a line, and not with
   * --json.
   */
  showsProgress: boolean;
  /** What the process will exit with. */
  exitCode: ExitCode;
}
