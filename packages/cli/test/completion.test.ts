// The scripts, loaded by the shells that they are for.
import { execFile, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, it } from "vitest";
import { cli } from "./support/cli.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const ON_TERMINAL = fileURLToPath(new URL("support/on-terminal.py", import.meta.url));
const run = promisify(execFile);

/** What is typed before the key Tab, and what the line is then. */
const TYPED: readonly (readonly [typed: string, line: string])[] = [
  ["ver", "verify"],
  ["hold pl", "hold place"],
  ["verify --tr", "verify --trust"],
  ["export --format p", "export --format parquet"],
  ["export -f c", "export -f csv"],
  ["export --format=rota", "export --format=rotalabs-comply"],
  ["query --outcome bl", "query --outcome blocked"],
  ["stats --since today --outcome=ab", "stats --since today --outcome=ab"], // aborted or abandoned
  ["completion fi", "completion fish"],
  ["export --output not", "export --output notes.txt"], // any value: a file
];

describe.each(["bash", "zsh"] as const)("On a terminal, %s", (shell) => {
  it.skipIf(isLeftOut(shell))(
    "completes commands, options, and the values that an option or an argument can have",
    { timeout: 60_000 },
    async () => {
      const home = await temporaryDirectory();
      await writeFile(join(home, "notes.txt"), "");
      await writeFile(join(home, "script"), (await cli(["completion", shell])).stdout);
      const typeIn = openShell(shell, home);

      await typeIn(`source ./script; ai-audit() { echo "GOT<$*>"; }; ai-audit\n`);
      for (const [typed, line] of TYPED) expect(await typeIn(`ai-audit ${typed}\t\n`)).toBe(line);
    },
  );
});

describe("fish", () => {
  it.skipIf(isLeftOut("fish"))(
    "completes commands, options, and the values that an option or an argument can have",
    { timeout: 60_000 },
    async () => {
      const home = await temporaryDirectory();
      await writeFile(join(home, "notes.txt"), "");
      await writeFile(join(home, "script"), (await cli(["completion", "fish"])).stdout);
      const completed = async (typed: string): Promise<string[]> => {
        const script = `source ./script; complete -C ${JSON.stringify(`ai-audit ${typed}`)}`;
        const { stdout } = await run("fish", ["--no-config", "-c", script], {
          cwd: home,
          env: { ...process.env, HOME: home },
        });
        return stdout
          .trimEnd()
          .split("\n")
          .map((line) => line.replace(/\t.*/, ""));
      };
      for (const [typed, line] of TYPED.filter(([, result]) => !result.endsWith("=ab"))) {
        expect(await completed(typed)).toEqual([line.split(" ").at(-1)]);
      }
      expect(await completed("export --format ")).toEqual([
        "bundle",
        "csv",
        "html",
        "jsonl",
        "ocsf",
        "otel",
        "parquet",
        "rotalabs-comply",
      ]);
      expect(await completed("completion ")).toEqual(["bash", "fish", "zsh"]);
    },
  );
});

/**
 * A shell of nobody's habits, with a terminal. Typing gives what the command was then called with.
 */
function openShell(shell: "bash" | "zsh", home: string): (text: string) => Promise<string> {
  const words = shell === "bash" ? ["bash", "--norc", "--noprofile", "-i"] : ["zsh", "-f", "-i"];
  const child = spawn("python3", [ON_TERMINAL, "all", ...words], {
    cwd: home,
    env: { PATH: process.env["PATH"], HOME: home, TERM: "xterm", PS1: "> ", LANG: "C.UTF-8" },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  return async (text) => {
    child.stdin.write(text);
    for (;;) {
      const [match, called] = /GOT<([^$>]*)>/.exec(output) ?? [];
      if (match !== undefined && called !== undefined) {
        output = output.slice(output.indexOf(match) + match.length);
        return called;
      }
      if (child.exitCode !== null) throw new Error(`the shell ended: ${output}`);
      await sleep(10);
    }
  };
}
