// What a log records about itself is shown where a person looks.
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { AuditLogger } from "@ai-audit/core";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { cli } from "./support/cli.ts";
import { firstFile } from "./support/first-file.ts";
import { writeOldLog } from "./support/old-log.ts";
import { sharedSample } from "./support/samples.ts";

/** A log from which retention removed two files, with one hold. */
async function writeKeptLog(): Promise<string> {
  const directory = join(await temporaryDirectory(), "log");
  await writeOldLog(directory, ["2024-01-01", "2024-01-02", "2025-01-01"]);
  const by = ["--actor", "cron"];
  const before = ["--before", "2024-06-01"];
  expect((await cli(["cleanup", directory, ...before, ...by])).code).toBe(0);
  const held = ["--all", "--reason", "case 7", ...by];
  expect((await cli(["hold", "place", directory, ...held])).code).toBe(0);
  return directory;
}

describe("Removals and holds", { timeout: 60_000 }, () => {
  it("are listed by list --control, with actor and policy", async () => {
    const directory = await writeKeptLog();
    const { code, stdout } = await cli(["list", directory, "--control"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/retention\.prune +audit_20240101\.jsonl removed by cron: before 2024/);
    expect(stdout).toMatch(/retention\.prune +audit_20240102\.jsonl removed by cron: before 2024/);
    expect(stdout).toMatch(/retention\.hold +hold \S+ placed by cron: case 7/);
    const lines = (await cli(["list", directory, "--control", "--json"])).stdout;
    expect(lines.trimEnd().split("\n")).toHaveLength(3);
  });

  it("are summed up by stats and doctor", async () => {
    const directory = await writeKeptLog();
    const { stderr } = await cli(["stats", directory]);
    expect(stderr).toMatch(/^2 files removed by cron on \d{4}-\d\d-\d\d: before 2024/m);
    expect(stderr).toMatch(/^1 hold in force, placed on /m);
    const { stdout } = await cli(["doctor", directory]);
    expect(stdout).toMatch(/^good {3}record +2 files removed by cron/m);
  });
});

describe("Calls begun", { timeout: 60_000 }, () => {
  it("are listed while no entry ends them", async () => {
    const directory = join(await temporaryDirectory(), "log");
    await writeOldLog(directory, ["2025-01-01"]);
    const begun = { timestamp: "2025-01-01T13:00:00.000Z", provider: null, model: "gpt-5" };
    const lines = [
      { type: "call.started", call: "c-1", ...begun, operation: "chat", input_hash: "" },
      { type: "call.started", call: "c-2", ...begun, operation: "embeddings", input_hash: "" },
    ];
    await appendFile(
      join(directory, "audit_20250101.jsonl"),
      lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
    const logger = new AuditLogger(directory);
    await logger.log({ input: "a", output: "b", operation: "chat", call: "c-1" });
    await logger.close();
    const { stdout } = await cli(["list", directory, "--control"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(stdout).toMatch(/call\.started +call \S+ begun \(embeddings gpt-5\), with no end/);
    expect((await cli(["doctor", directory])).stdout).toMatch(/^look {3}record +1 call begun on /m);
  });
});

describe("Losses", { timeout: 60_000 }, () => {
  it("are told with cause; an uncertain one as such", async () => {
    const directory = join(await temporaryDirectory(), "log");
    await writeOldLog(directory, ["2025-01-01"]);
    const sample = { directory } as Awaited<ReturnType<typeof sharedSample>>;
    const time = "2025-01-01T12:00:00.000Z";
    const loss = { type: "loss", entries: 2, from: time, to: time, reason: "EIO" };
    await appendFile(
      await firstFile(sample),
      `${JSON.stringify(loss)}\n${JSON.stringify({ ...loss, entries: 1, certain: false })}\n`,
    );
    const { stderr } = await cli(["stats", directory]);
    expect(stderr).toContain("2 entries lost on 2025-01-01: EIO\n");
    expect(stderr).toContain("1 entry may be lost on 2025-01-01: EIO\n");
  });
});

describe("A log with nothing to tell", { timeout: 60_000 }, () => {
  it("says so, with exit code 1", async () => {
    const { directory } = await sharedSample();
    const { code, stderr } = await cli(["list", directory, "--control"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^the log records no loss, removal, hold, erasure or call without an end/,
    );
  });
});
