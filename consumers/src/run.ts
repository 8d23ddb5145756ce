// Runs one command to its end, with its output.
import { spawn } from "node:child_process";
import { constants } from "node:os";

export interface RunOptions {
  readonly cwd: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default 300 seconds */
  readonly timeoutSeconds?: number;
}

/** A command that failed. Its message ends with the command's last lines. */
export class CommandFailed extends Error {
  constructor(command: string, status: string, output: string) {
    super(`${command}\n${status}\n${output.split("\n").slice(-40).join("\n").trim()}`);
    this.name = "CommandFailed";
  }
}

/** The command's standard output. Rejects with `CommandFailed` for any exit code but 0. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env = {}, timeoutSeconds = 300 }: RunOptions,
): Promise<string> {
  const child = spawn(command, args, {
    cwd,
    env: { ...environment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutSeconds * 1000,
    killSignal: constants.signals.SIGKILL,
  });
  let [stdout, output] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const status = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  if (status !== "exit code 0")
    throw new CommandFailed([command, ...args].join(" "), status, output);
  return stdout;
}

/** This process's environment without what a package manager that started it left there. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(lifecycle|package)_|npm_config_user_agent$|PNPM_|NODE_PATH$|INIT_CWD$)/.test(name),
  );
  return Object.fromEntries(kept);
}
