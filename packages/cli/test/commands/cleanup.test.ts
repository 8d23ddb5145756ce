import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Signer } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { cli, type CliResult, printed, withAllKeys } from "../support/cli.ts";
import { oldId, writeOldLog } from "../support/old-log.ts";
import { ownSample, sharedSample } from "../support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe("ai-audit cleanup", { timeout: 60_000 }, () => {
  it("--dry-run says what would go and changes nothing", async () => {
    const root = await temporaryDirectory();
    await writeOldLog(root, ["2024-01-01", "2024-01-02"]);
    const before = await readdir(root);

    expect(steady(await printed(["cleanup", root, "--dry-run"]))).toMatchInlineSnapshot(`
      "retention 365 days (the default): removes entries older than TIME UTC
      FILE                  FROM                      TO                        ENTRIES  FATE
      audit_20240101.jsonl  2024-01-01T12:00:00.000Z  2024-01-01T12:00:00.000Z        1  would be removed
      audit_20240102.jsonl  2024-01-02T12:00:00.000Z  2024-01-02T12:00:00.000Z        1  would be removed
      2 entries in 2 files would be removed
      "
    `);
    expect(await readdir(root)).toEqual(before);
  });

  it("what is past retention goes, and the log says why and still verifies", async () => {
    const sample = await ownSample();
    await writeOldLog(sample.directory, ["2024-01-01", "2024-01-02"], sample.signingKey);

    const output = await printed(["cleanup", sample.directory, "--actor", "ops"], {
      sample,
      env: withAllKeys(sample),
    });

    expect(steady(output)).toMatchInlineSnapshot(`
      "retention 365 days (the default): removes entries older than TIME UTC
      FILE                  FROM                      TO                        ENTRIES  FATE
      audit_20240101.jsonl  2024-01-01T12:00:00.000Z  2024-01-01T12:00:00.000Z        1  removed
      audit_20240102.jsonl  2024-01-02T12:00:00.000Z  2024-01-02T12:00:00.000Z        1  removed
      2 entries in 2 files removed
      "
    `);
    const { code, stdout } = await cli(["verify", sample.directory, "-t", sample.vkey]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /2 files removed by .* under 'retention 365 days', as the log itself authorises/,
      ) as unknown,
    });
  });

  it("an entry that went is said to have gone, on which day and by which rule", async () => {
    const sample = await ownSample();
    await writeOldLog(sample.directory, ["2024-01-01", "2024-01-02"], sample.signingKey);
    await cli(["cleanup", sample.directory, "--actor", "ops"], { env: withAllKeys(sample) });
    const [file = ""] = await readdir(sample.directory);
    const day = /^audit_(\d{4})(\d\d)(\d\d)/.exec(file)?.slice(1).join("-") ?? "";
    const show = (id: string): Promise<CliResult> => cli(["show", id, sample.directory]);

    const gone = oldId("2024-01-02T12:00:00.000Z");
    expect(await show(gone.toUpperCase())).toEqual({
      code: 1,
      stdout: "",
      stderr:
        `error: no entry ${gone.toUpperCase()} in ${sample.directory}\n` +
        `  audit_20240102.jsonl, of its time, was removed on ${day} by ops: retention 365 days\n`,
    });
    for (const never of [oldId("2024-01-02T12:00:00.001Z"), oldId(`${day}T00:00:00Z`), "x"]) {
      expect((await show(never)).stderr).toContain("\n  to see ids: ai-audit list\n");
    }
  });

  it("a signed log is not cleaned without its key", async () => {
    const sample = await sharedSample();
    expect(await printed(["cleanup", sample.directory], { sample, code: 78 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: the log is signed by example.com/audit, and the records of this command must be signed too
        set AUDIT_SIGNING_NAME, and AUDIT_SIGNING_KEY or AUDIT_SIGNING_KEY_FILE
      "
    `);
  });

  it("a key that nobody would believe removes nothing, and --dry-run says so", async () => {
    const sample = await ownSample();
    await writeOldLog(sample.directory, ["2024-01-01"], sample.signingKey);
    const before = await readdir(sample.directory);
    const stranger = await Signer.generate("example.com/other");
    const own = { AUDIT_SIGNING_NAME: stranger.name, AUDIT_SIGNING_KEY: stranger.toPem() };
    const words = ["cleanup", sample.directory];

    for (const [trusted, reason] of [
      [sample.vkey, "signs and is not trusted here: verifiers would not believe its records"],
      ["", "signs here and sealed no file of this log: verifiers would not believe its records"],
    ] as const) {
      const env = { ...own, AUDIT_TRUSTED_KEYS: trusted };
      const dry = await cli([...words, "--dry-run"], { env });
      expect(dry).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("1 entry in 1 file would be removed\n") as string,
      });
      expect(dry.stderr).toContain(`the run itself would be refused: ${stranger.vkey} ${reason}\n`);
      const run = await cli(words, { env });
      expect(run).toMatchObject({ code: 78, stdout: "" });
      expect(run.stderr).toContain(`error: ${stranger.vkey} ${reason}\n`);
    }
    expect(await readdir(sample.directory)).toEqual(before);

    const both = { ...own, AUDIT_TRUSTED_KEYS: `${sample.vkey} ${stranger.vkey}` }; // the key was changed
    expect(await cli(words, { env: both })).toMatchObject({ code: 0 });
    expect((await cli(["verify", sample.directory], { env: both })).code).toBe(0);
  });

  it("--before removes what is older than a time, and not below the legal floor", async () => {
    const root = await temporaryDirectory();
    await writeOldLog(root, ["2024-01-01", "2024-01-02", "2024-01-03"]);
    const words = ["cleanup", root, "--before", "2024-01-02"];
    const dry = await printed([...words, "--dry-run"]);
    expect(steady(dry).replace(/[\d,]+ days ago/, "DAYS ago")).toMatchInlineSnapshot(`
      "--before, DAYS ago: removes entries older than 2024-01-02 00:00:00 UTC
      FILE                  FROM                      TO                        ENTRIES  FATE
      audit_20240101.jsonl  2024-01-01T12:00:00.000Z  2024-01-01T12:00:00.000Z        1  would be removed
      1 entry in 1 file would be removed
      "
    `);

    const { stdout } = await cli([...words, "--json"]);

    expect(JSON.parse(stdout)).toMatchObject({
      before: "2024-01-02T00:00:00.000Z",
      dryRun: false,
      entries: 1,
      files: ["audit_20240101.jsonl"],
    });
    expect(stdout).not.toContain("retentionDays");
    const [control = ""] = (await readdir(root)).filter((file) => !file.startsWith("audit_2024"));
    expect(await readFile(join(root, control), "utf8")).toContain(
      '"policy":"before 2024-01-02T00:00:00.000Z"',
    );
    const env = { AUDIT_RETENTION_FLOOR_DAYS: "184" };
    expect(await printed(["cleanup", root, "--before", "1d"], { env, code: 78 }))
      .toMatchInlineSnapshot(`
        "--- stderr
        error: entries must be kept for 184 days (AUDIT_RETENTION_FLOOR_DAYS), and this would keep 1
          keep them longer, or correct AUDIT_RETENTION_FLOOR_DAYS
        "
      `);
    expect(await printed([...words, "--retention", "30"], { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: option '--before <time>' cannot be used with option '--retention <days>'
        see: ai-audit cleanup --help
      "
    `);
    expect(await printed(["cleanup", root, "--before", "2999-01-01"], { code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: --before is in the future
      "
    `);
  });

  it("--dry-run says where the cut-off comes from, and why the run itself would be refused", async () => {
    const sample = await ownSample();
    await writeOldLog(sample.directory, ["2024-01-01"], sample.signingKey);
    const words = ["cleanup", sample.directory, "--dry-run"];
    expect(steady(await printed(words, { sample }))).toMatchInlineSnapshot(`
      "retention 365 days (the default): removes entries older than TIME UTC
      FILE                  FROM                      TO                        ENTRIES  FATE
      audit_20240101.jsonl  2024-01-01T12:00:00.000Z  2024-01-01T12:00:00.000Z        1  would be removed
      1 entry in 1 file would be removed
      --- stderr
      the run itself would be refused: the log is signed by example.com/audit, and the records of this command must be signed too
        set AUDIT_SIGNING_NAME, and AUDIT_SIGNING_KEY or AUDIT_SIGNING_KEY_FILE
      "
    `);
    const set = { AUDIT_RETENTION_DAYS: "400" };
    expect((await cli(words, { env: set })).stdout).toMatch(
      /^retention 400 days \(AUDIT_RETENTION_DAYS\): removes/,
    );
    const given = await cli([...words, "--retention", "500"], { env: set });
    expect(given.stdout).toMatch(/^retention 500 days \(AUDIT_RETENTION_DAYS is 400\): removes/);
    const { stdout } = await cli([...words, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      retentionDays: 365,
      expired: [
        {
          file: "audit_20240101.jsonl",
          entries: 1,
          from: "2024-01-01T12:00:00.000Z",
          fate: "removed",
        },
      ],
      wouldBeRefused: expect.stringContaining("the log is signed by example.com/audit") as string,
    });
  });

  it("what was altered stays, is named with the reason, and the exit code is 65", async () => {
    const sample = await ownSample();
    await writeOldLog(sample.directory, ["2024-01-01", "2024-01-02"], sample.signingKey);
    const altered = join(sample.directory, "audit_20240101.jsonl");
    await writeFile(
      altered,
      (await readFile(altered, "utf8")).replace("of 2024-01-01", "of 2024-01-09"),
    );
    const env = withAllKeys(sample);

    const dry = await cli(["cleanup", sample.directory, "--dry-run"], { env });
    expect(dry.code).toBe(65);
    const output = await printed(["cleanup", sample.directory], { sample, env, code: 65 });

    expect(steady(output)).toMatchInlineSnapshot(`
      "retention 365 days (the default): removes entries older than TIME UTC
      FILE                  FROM                      TO                        ENTRIES  FATE
      audit_20240101.jsonl  2024-01-01T12:00:00.000Z  2024-01-01T12:00:00.000Z        1  refused: it does not match its seal, or the log's record of it
      audit_20240102.jsonl  2024-01-02T12:00:00.000Z  2024-01-02T12:00:00.000Z        1  removed
      1 entry in 1 file removed
      --- stderr
      1 file refused: possibly altered, or sealed by another key; such files stay as evidence
        ai-audit verify ROOT/audit-logs
      "
    `);
    expect(await readdir(sample.directory)).toContain("audit_20240101.jsonl");
    expect((await cli(["verify", sample.directory, "-t", sample.vkey])).code).toBe(1);
  });

  it("a file of today stays whatever the cut-off, and it is said why", async () => {
    const sample = await ownSample();
    const env = withAllKeys(sample);
    const [file = ""] = await readdir(sample.directory);
    const words = ["cleanup", sample.directory, "--retention", "0"];
    const { code, stdout } = await cli(words, { env });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        new RegExp(
          `\n${file} +- +- +\\? +stays: it is a file of today and may still grow\n0 entries in 0 files removed\n$`,
        ),
      ) as string,
    });
    expect(JSON.parse((await cli([...words, "--json"], { env })).stdout)).toMatchObject({
      expired: [],
      today: [file],
    });
    expect(
      (await cli(["cleanup", sample.directory, "--retention", "1"], { env })).stdout,
    ).not.toContain(file);
  });

  it("a retention below the legal minimum is refused", async () => {
    const root = await temporaryDirectory();
    await writeOldLog(root, ["2024-01-01"]);
    const env = { AUDIT_RETENTION_FLOOR_DAYS: "184" };
    expect(await printed(["cleanup", root, "--retention", "30"], { env, code: 78 }))
      .toMatchInlineSnapshot(`
        "--- stderr
        error: entries must be kept for 184 days (AUDIT_RETENTION_FLOOR_DAYS), and this would keep 30
          keep them longer, or correct AUDIT_RETENTION_FLOOR_DAYS
        "
      `);
  });
});

/** The output of cleanup with a word for the moment that it counts from. */
function steady(output: string): string {
  return output.replace(/than 20(?!24)\S+ \S+ UTC/m, "than TIME UTC");
}
