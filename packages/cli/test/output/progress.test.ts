import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FileStorage } from "@ai-audit/core";
import { testEntry } from "@ai-audit/core/testing";
import { describe, expect, it } from "vitest";
import { type CliResult, finish, type RunningCli, start, withAllKeys } from "../support/cli.ts";
import { writeOldLog } from "../support/old-log.ts";
import { ownSample, sharedSample } from "../support/samples.ts";
import type { SampleLog } from "../support/sample-log.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { CLEARED, cliOnTerminal, screenOf, startOnTerminal } from "../support/terminal.ts";

const ORIGINAL = join(ORIGINAL_LOGS, "plain");

/** More than a pipe holds, so that the command waits for its reader. */
async function writeLongLog(): Promise<string> {
  const path = join(await temporaryDirectory(), "log");
  const storage = new FileStorage({ path, durability: "os" });
  const begin = Date.UTC(2026, 0, 15, 12);
  for (let n = 0; n < 100; n += 1) {
    const { id, line } = testEntry(begin + n, { metadata: { text: "x".repeat(40_000) } });
    await storage.append(line, id);
  }
  await storage.close();
  return path;
}

/** Stops reading at the first output, for longer than a task may take without a bar. */
async function readLate(running: RunningCli): Promise<CliResult> {
  const finished = finish(running);
  const { stdout } = running.process;
  await Promise.race([once(stdout, "data"), finished]); // a busy machine starts it late
  stdout.pause();
  await sleep(2000);
  stdout.resume();
  return finished;
}

describe("A bar on a terminal", { timeout: 60_000 }, () => {
  it("shows how much of the log was read, once that has taken a second, and goes", async () => {
    const path = await writeLongLog();
    const result = await readLate(startOnTerminal(["export", path], { env: { TERM: "xterm" } }));
    const { bars, rest } = screenOf(result);
    expect(result.code).toBe(0);
    expect(bars.length).toBeGreaterThan(0);
    expect(bars[0]).toMatch(/^exporting █*░* \d+ % \d+ written$/);
    expect(rest).toBe("100 entries exported\n");
  });

  it("is not there for a task that takes less", async () => {
    const { directory } = await sharedSample();
    const { stderr } = await finish(
      startOnTerminal(["export", directory], { env: { TERM: "xterm" } }),
    );
    expect(stderr).toBe("7 entries exported\r\n");
  });

  it("is nowhere where remarks go to a file or a pipe", async () => {
    const path = await writeLongLog();
    expect((await readLate(start(["export", path]))).stderr).toBe("100 entries exported\n");
    expect((await readLate(start(["query", path]))).stderr).toBe("");
  });

  it("is nowhere with --json, nor on a terminal that cannot take a line back", async () => {
    const { directory } = await sharedSample();
    const json = await cliOnTerminal(["query", directory, "--json"]);
    expect(json).toMatchObject({ code: 0, stderr: "" });
    const dumb = await cliOnTerminal(["query", directory], { env: { TERM: "dumb" } });
    expect(dumb).toMatchObject({ code: 0, stderr: "" });
  });

  it("goes before an error is told", async () => {
    const { directory } = await sharedSample();
    const { bars, rest } = screenOf(await cliOnTerminal(["conversation", "nobody", directory]));
    expect(bars.at(-1)).toBe(`searching ${"█".repeat(24)} 100 % 0 calls found`);
    expect(rest.replace(directory, "LOG")).toBe(
      "\u001B[31merror:\u001B[39m no conversation nobody in LOG\n  to see ids: ai-audit list\n",
    );
  });

  it("has no colour of its own, NO_COLOR or not", async () => {
    const { directory } = await sharedSample();
    const { stderr } = await cliOnTerminal(["query", directory], { env: { NO_COLOR: "1" } });
    expect(stderr).toContain("searching ");
    expect(stderr.replaceAll(CLEARED, "")).not.toContain("\u001B");
  });

  const COMMANDS: Readonly<Record<string, (sample: SampleLog) => readonly string[]>> = {
    verify: ({ directory }) => ["verify", directory],
    pin: ({ directory, vkey }) => ["pin", directory, "-t", vkey],
    prove: ({ directory, ids }) => ["prove", ids[3] ?? "", directory],
    list: ({ directory }) => ["list", directory],
    query: ({ directory }) => ["query", directory, "--flagged"],
    conversation: ({ directory }) => ["conversation", "geography", directory],
    stats: ({ directory }) => ["stats", directory],
    sql: ({ directory }) => [
      "sql",
      "SELECT count(*) AS n FROM range(40) AS a, range(1000000) AS b WHERE (a.range * b.range) % 7 = 1",
      directory,
    ],
    "export, to jsonl": ({ directory }) => ["export", directory],
    "export, to rotalabs-comply": ({ directory }) => ["export", directory, "-f", "rotalabs-comply"],
    "export, to parquet": ({ directory, root }) =>
      `export ${directory} --flagged -f parquet -o ${join(root, "parquet")}`.split(" "),
    "export, to a bundle": ({ directory, root }) =>
      `export ${directory} -f bundle -o ${join(root, "bundle")}`.split(" "),
    "export, to a bundle of some": ({ directory, root }) =>
      `export ${directory} --flagged -f bundle -o ${join(root, "bundle")}`.split(" "),
    "export-subject": ({ directory }) => ["export-subject", "Grace Hopper", directory],
    import: ({ root }) => ["import", ORIGINAL, join(root, "imported")],
    cleanup: ({ directory }) => ["cleanup", directory, "--dry-run"],
  };

  it.each(Object.entries(COMMANDS))("is shown by %s", async (_, wordsOf) => {
    const sample = await ownSample();
    await writeOldLog(sample.directory, ["2024-01-01", "2024-01-02"], sample.signingKey);
    const words = wordsOf(sample);
    const env = withAllKeys(sample);
    const onTerminal = await cliOnTerminal(words, { env });
    const { bars, rest } = screenOf(onTerminal);
    expect(bars).not.toEqual([]);
    expect(rest).not.toMatch(/[█░]/);
    expect(onTerminal.stderr.lastIndexOf(CLEARED)).toBeGreaterThan(
      onTerminal.stderr.lastIndexOf(bars.at(-1) ?? ""),
    );
  });
});
