import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { cp, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli, printed, start } from "./support/cli.ts";
import { firstFile } from "./support/first-file.ts";
import { ownSample, sharedSample } from "./support/samples.ts";

const ORIGINAL = join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl");

describe("Files that are not the log's own", { timeout: 60_000 }, () => {
  it("are named in one line by every command that reads, whose results stay what they are", async () => {
    const sample = await ownSample();
    await cp(ORIGINAL, join(sample.directory, "audit_20240101.jsonl"));
    await writeFile(join(sample.directory, "backup\u001B.jsonl"), "{}\n");
    const id = sample.ids[0] ?? "";
    const line =
      "2 foreign files without any proof, 1 of them not read: audit_20240101.jsonl and others; see: ai-audit doctor";
    for (const words of [
      ["list", sample.directory, "--json"],
      ["query", sample.directory, "--model", "gpt-5", "--json"],
      ["show", id, sample.directory, "--json"],
      ["stats", sample.directory, "--json"],
      ["tail", sample.directory, "--json"],
      ["conversation", "geography", sample.directory, "--json"],
      ["export", sample.directory],
    ]) {
      const { stderr, stdout, code } = await cli(words);
      expect({ words, code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(`^${line}\n`) as string,
      });
      for (const text of stdout.trimEnd().split("\n")) expect(() => JSON.parse(text)).not.toThrow();
    }
    const read = await cli([
      "sql",
      "SELECT count(*) AS n FROM entries",
      sample.directory,
      "--json",
    ]);
    expect(read).toEqual({
      code: 0,
      stdout: '{"n":19}\n',
      stderr: `${line.replace(", 1 of them not read", "")}\n`,
    });
    const { stdout } = await cli(["doctor", sample.directory]);
    expect(stdout).toContain(
      "2 files not written by this library, without any proof (audit_20240101.jsonl)",
    );
  });

  it("are not spoken of where there are none", async () => {
    const sample = await sharedSample();
    expect((await cli(["stats", sample.directory])).stderr).toBe("");
  });

  it("are told by tail before it waits", async () => {
    const sample = await ownSample();
    await cp(ORIGINAL, join(sample.directory, "audit_20240101.jsonl"));
    const running = start(["tail", sample.directory, "-f"]);
    await running.until("1 foreign file without any proof: audit_20240101.jsonl; see");
    expect(running.process.exitCode).toBeNull();
  });

  it("may be segments under another name, which doctor tells", async () => {
    const sample = await ownSample();
    const renamed = join(sample.directory, "copy of a segment.jsonl");
    await rename(await firstFile(sample), renamed);
    expect(await printed(["list", sample.directory], { sample, code: 1 })).toMatchInlineSnapshot(`
      "--- stderr
      1 file not read, without the name of a segment: copy of a segment.jsonl; see: ai-audit doctor
      no entries in ROOT/audit-logs
      "
    `);
    const { stdout } = await cli(["doctor", sample.directory]);
    expect(stdout).toContain(
      "1 file without the name of a segment: not read (copy of a segment.jsonl)",
    );
  });
});
