// ai-audit report: formats, profiles, exit codes, and figures that are those of stats.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sharedDirectory } from "@ai-audit/test-support/temporary-directory";
import { beforeAll, describe, expect, it } from "vitest";
import { cli } from "../support/cli.ts";
import { type SampleLog, writeSampleLog } from "../support/sample-log.ts";

let sample: SampleLog;

beforeAll(async () => {
  sample = await writeSampleLog(await sharedDirectory());
});

describe("report", () => {
  it("has the figures of stats, as JSON", async () => {
    const words = ["--trust", sample.vkey, "--profile", "eu-ai-act", "--json", sample.directory];
    const { code, stdout } = await cli(["report", ...words]);
    expect(code).toBe(0);
    const { volume, requirements } = JSON.parse(stdout);
    const stats = JSON.parse((await cli(["stats", "--json", sample.directory])).stdout);
    expect(volume.total).toEqual(stats.total);
    expect(volume.byDay).toEqual(stats.groups);
    const byOutcome = await cli(["stats", "--by", "operation", "--json", sample.directory]);
    expect(volume.byOperation).toEqual(JSON.parse(byOutcome.stdout).groups);
    expect(requirements.length).toBeGreaterThan(10);
  });

  it("writes HTML to a file, without any content of the log", async () => {
    const path = join(sample.root, "report.html");
    const words = ["--trust", sample.vkey, "-o", path, sample.directory];
    expect(await cli(["report", ...words])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const html = await readFile(path, "utf8");
    expect(html).toContain("<!doctype html>");
    expect(html).toContain("content_filter");
    expect(html).not.toContain("neighbour");
    expect(html).not.toContain("capital of France");
  });

  it("ends with the verdict's exit code", async () => {
    const { code, stdout } = await cli(["report", "-f", "md", sample.directory]);
    expect(code).toBe(2);
    expect(stdout).toContain("**Not proven**: UNKNOWN\\_KEY");
  });

  it("takes a profile of a file, and names what is wrong with one", async () => {
    const path = join(sample.root, "own.json");
    await writeFile(path, JSON.stringify({ id: "own", title: "Own", asOf: "2026-11-30" }));
    const { code, stderr } = await cli(["report", "--profile", path, sample.directory]);
    expect(code).toBe(65);
    expect(stderr).toContain("The profile's sources must be a list");
    const absent = await cli(["report", "--profile", "nist", sample.directory]);
    expect(absent.code).toBe(66);
    expect(absent.stderr).toContain("a profile is one of eu-ai-act, nist-800-53-au, aiuc-1");
  });
});
