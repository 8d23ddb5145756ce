// Runs the command with a terminal for its remarks. What it wrote there is in `stderr`.
import { fileURLToPath } from "node:url";
import { type CliOptions, type CliResult, finish, type RunningCli, start } from "./cli.ts";

/**
 * Runs a command with a terminal for `stderr`, or for `all` streams: then all of its output is in
 * `stderr`.
 */
export const ON_TERMINAL: string = fileURLToPath(new URL("on-terminal.py", import.meta.url));
const FAST_CLOCK = `--import=${new URL("fast-clock.ts", import.meta.url).href}`;

/** How a line is taken off a terminal. */
export const CLEARED = "\r\u001B[2K";

/** Starts `ai-audit` with these words. */
export function startOnTerminal(words: readonly string[], options: CliOptions = {}): RunningCli {
  return start(words, { ...options, runner: ["python3", ON_TERMINAL, "stderr"] });
}

/** Runs it to its end, as if everything took long enough for a bar. */
export async function cliOnTerminal(
  words: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const env = { TERM: "xterm", ...options.env, NODE_OPTIONS: FAST_CLOCK };
  return finish(startOnTerminal(words, { ...options, env }), options);
}

/** The bars that were seen, and what stood there in the end. */
export function screenOf({ stderr }: CliResult): {
  readonly bars: readonly string[];
  readonly rest: string;
} {
  const shown = stderr.split(CLEARED);
  return {
    bars: shown.filter((text) => /[█░]{24} \d+ %/.test(text)),
    rest: shown.at(-1)?.replaceAll("\r\n", "\n") ?? "",
  };
}
