// The commands of the README, word for word, by somebody who has nothing but the README.
import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { blocksOf, runBlock } from "@ai-audit/test-support/documented-code";
import { beforeAll, describe, expect, it } from "vitest";
import { writeOldLog } from "./support/old-log.ts";
import { emptyRoot } from "./support/samples.ts";

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const README = await readFile(new URL("../../../README.md", import.meta.url), "utf8");

/**
 * The lines of the README's shell blocks that call the command, without the prompt and what npm
 * does.
 */
const COMMANDS = [...README.matchAll(/```(?:sh|console)\n([\s\S]*?)```/g)]
  .flatMap(([, block = ""]) => block.split("\n"))
  .map((line) => line.replace(/^\$ /, ""))
  .filter((line) => line.startsWith("npx ai-audit "));

const [init = "", verify = "", verifyCopy = "", query = "", prove = "", cleanup = ""] = COMMANDS;

describe("README", { timeout: 60_000 }, () => {
  let root: string;
  let vkey: string;
  let blocked: string;

  /** Runs a line in a shell, as it stands but for its placeholders. */
  async function shell(line: string): Promise<{ readonly code: number; readonly stdout: string }> {
    const words = line.replaceAll(/\bVKEY\b|acme\+\S+/g, vkey).replaceAll(/\bID\b/g, blocked);
    const own = Object.entries(process.env).filter(
      ([name]) => !/^(?:AUDIT_|FORCE_COLOR|NODE_OPTIONS)/.test(name),
    );
    const env = {
      ...Object.fromEntries(own),
      PATH: `${root}/bin${delimiter}${process.env["PATH"] ?? ""}`,
    };
    try {
      return { code: 0, stdout: (await run("bash", ["-c", words], { cwd: root, env })).stdout };
    } catch (error) {
      if (error instanceof Error && "code" in error && "stdout" in error) {
        return { code: Number(error.code), stdout: String(error.stdout) };
      }
      throw error;
    }
  }

  beforeAll(async () => {
    root = await emptyRoot();
    await mkdir(join(root, "bin"));
    const npx = `#!/bin/sh\nshift\nexec '${process.execPath}' --conditions=ai-audit-source '${MAIN}' "$@"\n`;
    await writeFile(join(root, "bin/npx"), npx);
    await chmod(join(root, "bin/npx"), 0o755);
    await shell(init);
    vkey = (await readFile(join(root, "audit-keys/signing.vkey"), "utf8")).trim();
    const [program] = await blocksOf(fileURLToPath(new URL("../../../README.md", import.meta.url)));
    if (program === undefined) throw new Error("the README has no program");
    const from = fileURLToPath(new URL("..", import.meta.url));
    const key = await readFile(join(root, "audit-keys/signing.pem"), "utf8");
    await runBlock(program, { from, cwd: root, env: { AUDIT_SIGNING_KEY: key } });
    const { stdout } = await shell("npx ai-audit query --flagged --json");
    blocked = /"id":"([\w-]+)"/.exec(stdout)?.[1] ?? "";
  });

  it("has the commands that are run here, and no other", () => {
    expect(COMMANDS.map((line) => line.split(" ").slice(2, 3).join())).toEqual([
      "init",
      "verify",
      "verify",
      "query",
      "prove",
      "cleanup",
    ]);
  });

  it("verify says what the README shows", async () => {
    const { code, stdout } = await shell(verify);
    expect(code).toBe(0);
    expect(steady(README)).toContain(`\n${steady(stdout)}\`\`\``);
  });

  it("verify finds the altered copy as the README shows", async () => {
    const change = /^\$ (cp .*)$/m.exec(README)?.[1] ?? "";
    expect((await shell(change)).code).toBe(0);
    const { code, stdout } = await shell(verifyCopy);
    const shown =
      /\nTAMPERED audit_\d+\.jsonl, lines \d to \d, entry \S+: (the lines[^`]*?)\n```/.exec(
        README,
      )?.[1];
    const said =
      /^TAMPERED audit_\d+\.jsonl, lines? \d(?: to \d)?, entry \S+: (the lines? .*)$/m.exec(
        stdout,
      )?.[1];
    expect({ code, said }).toEqual({ code: 1, said: shown?.replaceAll("\n", " ") });
  });

  it("a blocked call is found, and proven to somebody who has nothing else", async () => {
    const found = await shell(query);
    expect(found.stdout).toContain(blocked);
    expect(found.stdout.trimEnd().split("\n")).toHaveLength(2); // with the heading
    const proven = await shell(prove);
    expect(proven).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        new RegExp(
          `^OK: ${blocked} is in acme/.*; sealed by acme\\+[0-9a-f]{8} \\(trusted by --trust\\)\n`,
        ),
      ) as string,
    });
  });

  it("what is past retention is told first, and then removed", async () => {
    const pem = await readFile(join(root, "audit-keys/signing.pem"), "utf8");
    await writeOldLog(join(root, "audit-logs"), ["2024-01-01"], pem, "acme");

    const dry = await shell(cleanup);

    expect(dry).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("1 entry in 1 file would be removed\n") as string,
    });
    const done = await shell(cleanup.replace(" --dry-run", ""));
    expect(done).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("1 entry in 1 file removed\n") as string,
    });
    expect((await shell(verify)).stdout).toMatch(
      /^OK: 2 entries in 2 files; sealed by acme\+.*; 1 file removed by .* under 'retention 365 days', as the log itself authorises; /,
    );
  });
});

/** A verdict with names for what differs from run to run. */
function steady(text: string): string {
  return text
    .replaceAll(/acme\+[0-9a-f]{8} /g, "acme+HASH ")
    .replaceAll(/time \S+Z;/g, "time TIME;");
}
