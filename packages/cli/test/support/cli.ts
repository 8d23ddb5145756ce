// Runs the command as a child process, from source.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SampleLog } from "./sample-log.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Further environment variables. The machine's own AUDIT_ variables never reach the child. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
}

/** Runs `ai-audit` with these words until it ends. */
export async function cli(
  words: readonly string[],
  { env = {}, cwd, stdin = "" }: CliOptions = {},
): Promise<CliResult> {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:AUDIT_|NO_COLOR|FORCE_COLOR|NODE_OPTIONS)/.test(name),
  );
  const child = spawn(process.execPath, ["--conditions=ai-audit-source", MAIN, ...words], {
    cwd,
    env: { ...Object.fromEntries(own), ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  child.stdin.end(stdin);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  return { code, ...output };
}

/** Environment in which the sample's contents can be opened. */
export function withKeys({ encryptionKey, subjects }: SampleLog): Readonly<Record<string, string>> {
  return { AUDIT_ENCRYPTION_KEY: encryptionKey, AUDIT_SUBJECT_KEYS: subjects };
}
