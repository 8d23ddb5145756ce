// Runs the command as a child process, from source.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { normalise } from "./normalise.ts";
import type { SampleLog } from "./sample-log.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Spares most of a start from source. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/compile", import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Further environment variables. The machine's own settings never reach the child. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** A command that runs the command. */
  readonly runner?: readonly string[];
}

/** A command that is running. */
export interface RunningCli {
  readonly process: ChildProcessWithoutNullStreams;
  /** What it wrote so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves once it wrote this text to either stream. */
  until(text: string): Promise<void>;
}

/** Starts `ai-audit` with these words. */
export function start(
  words: readonly string[],
  { env = {}, cwd, runner = [] }: CliOptions = {},
): RunningCli {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:AUDIT_|AWS_ENDPOINT|NO_COLOR|FORCE_COLOR|NODE_OPTIONS|CI$)/.test(name),
  );
  const [program = "", ...rest] = [
    ...runner,
    process.execPath,
    "--conditions=ai-audit-source",
    MAIN,
    ...words,
  ];
  const child = spawn(program, rest, {
    cwd,
    env: { ...Object.fromEntries(own), NODE_COMPILE_CACHE: CACHE, ...env },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const until = async (text: string): Promise<void> => {
    while (!`${output.stdout}${output.stderr}`.includes(text)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`ended without "${text}": ${output.stdout}${output.stderr}`);
      await sleep(10);
    }
  };
  onTestFinished(() => {
    child.kill("SIGKILL"); // where a test failed before its child ended
  });
  return { process: child, output, until };
}

/** Runs `ai-audit` with these words until it ends. */
export async function cli(words: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return finish(start(words, options), options);
}

/** Gives a command that was started its input, and waits for its end. */
export async function finish(
  { process: child, output }: RunningCli,
  options: CliOptions = {},
): Promise<CliResult> {
  child.stdin.end(options.stdin ?? "");
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  return { code, ...output };
}

/** Environment in which the sample's contents can be opened. */
export function withKeys({ encryptionKey, subjects }: SampleLog): Readonly<Record<string, string>> {
  return { AUDIT_ENCRYPTION_KEY: encryptionKey, AUDIT_SUBJECT_KEYS: subjects };
}

/** Environment of somebody who may write to the sample too. */
export function withAllKeys(sample: SampleLog): Readonly<Record<string, string>> {
  return {
    ...withKeys(sample),
    AUDIT_SIGNING_NAME: "example.com/audit",
    AUDIT_SIGNING_KEY: sample.signingKey,
  };
}

/** Asserts an exit code and gives what was printed, with names for what differs from run to run. */
export async function printed(
  words: readonly string[],
  options: CliOptions & { readonly code?: number; readonly sample?: SampleLog } = {},
): Promise<string> {
  const { code = 0, sample, ...rest } = options;
  const result = await cli(words, rest);
  expect.soft({ code: result.code, stderr: result.stderr }).toMatchObject({ code });
  const parts = [result.stdout, result.stderr && `--- stderr\n${result.stderr}`];
  return normalise(parts.join(""), sample);
}
