// An export that goes on: nothing is written twice or left out, whatever ends it.
import { appendFile, readdir, readFile, rename, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AuditLogger } from "@ai-audit/core";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { exportNew, type FollowOptions } from "../../src/export/follow.ts";
import { cli, start } from "../support/cli.ts";

interface Setup {
  readonly directory: string;
  readonly output: string;
  readonly cursor: string;
  readonly words: readonly string[];
}

async function setup(): Promise<Setup> {
  const root = await temporaryDirectory();
  const [directory, output, cursor] = ["log", "out.jsonl", "cursor.json"].map((name) =>
    join(root, name),
  ) as [string, string, string];
  const words = ["export", directory, "-f", "jsonl", "-o", output, "--cursor", cursor];
  return { directory, output, cursor, words };
}

async function log(directory: string, ...inputs: readonly string[]): Promise<void> {
  const logger = new AuditLogger(directory, { storeContent: true });
  for (const input of inputs) await logger.log({ input, output: "" });
  await logger.close();
}

function textOf(line: string): string {
  return line.startsWith('{"id"') ? `${line}\n` : "";
}

async function inputsIn(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8");
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { input_content: string }).input_content);
}

describe("ai-audit export --cursor", { timeout: 60_000 }, () => {
  it("appends what is new since the last time", async () => {
    const { directory, output, words } = await setup();
    await log(directory, "a", "b");
    expect(await cli(words)).toMatchObject({ code: 0, stderr: "2 entries exported\n" });
    await log(directory, "c");
    expect(await cli(words)).toMatchObject({ code: 0, stderr: "1 entry exported\n" });
    expect(await cli(words)).toMatchObject({ code: 0, stderr: "0 entries exported\n" });
    expect(await inputsIn(output)).toEqual(["a", "b", "c"]);
    expect((await stat(output)).mode & 0o777).toBe(0o600);
  });

  it("goes on with --follow, also after SIGKILL at any time", async () => {
    const { directory, output, words } = await setup();
    const logger = new AuditLogger(directory, { storeContent: true });
    const written: string[] = [];
    await logger.log({ input: "0", output: "" });
    written.push("0");
    for (let round = 0; round < 3; round += 1) {
      const running = start([...words, "--follow"]);
      for (let n = 0; n < 40; n += 1) {
        const input = `${round}-${n}`;
        written.push(input);
        await logger.log({ input, output: "" });
        if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 50 + round * 90));
      }
      running.process.kill("SIGKILL");
      await new Promise((resolve) => running.process.once("close", resolve));
    }
    await logger.close();
    await cli(words);
    expect(await inputsIn(output)).toEqual(written);
  });

  it.each([
    [["--follow"], "--follow needs --cursor FILE"],
    [["--cursor", "c"], "--cursor needs --output FILE"],
    [["--cursor", "c", "-o", "o", "-f", "csv"], "--cursor does not go with --format csv"],
    [["--cursor", "c", "-o", "o", "--since", "1d"], "--since and --until do not go with --cursor"],
  ])("%s: refused", async (flags, message) => {
    const { code, stderr } = await cli(["export", ".", ...flags]);
    expect(code).toBe(64);
    expect(stderr).toContain(`error: ${message}\n`);
  });

  it("refuses the cursor of an export with other conditions, and a file that is no cursor", async () => {
    const { directory, cursor, words } = await setup();
    await log(directory, "a");
    await cli(words);
    const other = await cli([...words, "--model", "gpt-5"]);
    expect(other).toMatchObject({ code: 64 });
    expect(other.stderr).toContain("the cursor belongs to another export");
    await writeFile(cursor, "nonsense");
    expect(await cli(words)).toMatchObject({ code: 65 });
  });
});

/** Where a crash can end a batch: before its text, in the middle of it, and behind it. */
const CRASHES = [0, 1, 50, 1000, Infinity];

describe("A batch that a crash ended", () => {
  it.each(CRASHES)("after %i bytes: is completed, byte for byte", async (written) => {
    const { directory, output, cursor } = await setup();
    await log(directory, "a", "b", "c");
    const options: FollowOptions = { directory, output, cursor, exported: "x", textOf };
    await exportNew(options);
    const whole = await readFile(output, "utf8");
    const confirmed = JSON.parse(await readFile(cursor, "utf8")) as Record<string, unknown>;
    // The cursor as it was between naming the batch and confirming it.
    const { ino } = await stat(output);
    const begun = { ...confirmed, done: {}, next: confirmed["done"] };
    await writeFile(cursor, JSON.stringify({ ...begun, output: { inode: ino, bytes: 0 } }));
    await truncate(output, Math.min(written, whole.length));
    await exportNew(options);
    expect(await readFile(output, "utf8")).toBe(whole);
  });

  it("an output that log rotation moved away is begun anew with what is new", async () => {
    const { directory, output, cursor } = await setup();
    const options: FollowOptions = { directory, output, cursor, exported: "x", textOf };
    await log(directory, "a");
    await exportNew(options);
    await rename(output, `${output}.1`);
    await log(directory, "b");
    await exportNew(options);
    expect(await inputsIn(output)).toEqual(["b"]);
  });

  it("lines behind the last checkpoint wait until they are sealed", async () => {
    const { directory, output, cursor } = await setup();
    await log(directory, "a");
    const [file = ""] = await readdir(directory);
    await appendFile(join(directory, file), '{"id":"planted","input_content":"planted"}\n');
    await exportNew({ directory, output, cursor, exported: "x", textOf });
    expect(await inputsIn(output)).toEqual(["a"]);
  });
});
