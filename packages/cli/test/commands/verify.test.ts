import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { cli, printed, start } from "../support/cli.ts";
import { firstFile, firstFileName } from "../support/first-file.ts";
import { writeOldLog } from "../support/old-log.ts";
import { ownSample, sharedSample } from "../support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

describe("ai-audit verify", { timeout: 60_000 }, () => {
  it("a log sealed by a trusted key is OK, and the exit code is 0", async () => {
    const sample = await sharedSample();
    expect(await printed(["verify", sample.directory, "--trust", sample.vkey], { sample }))
      .toMatchInlineSnapshot(`
        "OK: 7 entries in 1 file; sealed by example.com/audit+KEYHASH (trusted by --trust); newest sealed time 2026-01-01T00:00:00.000Z; not anchored: a cut-off newest end would not show
        "
      `);
  });

  it("--files lists every file", async () => {
    const sample = await sharedSample();
    expect(await printed(["verify", sample.directory, "--files", "-t", sample.vkey], { sample }))
      .toMatchInlineSnapshot(`
        "OK: 7 entries in 1 file; sealed by example.com/audit+KEYHASH (trusted by --trust); newest sealed time 2026-01-01T00:00:00.000Z; not anchored: a cut-off newest end would not show

        FILE                  STATE  ENTRIES  LEAVES  SIGNED BY
        audit_20260101.jsonl  OK           7       9  example.com/audit+KEYHASH
        "
      `);
  });

  it("a log that may not be read is not verified, and it is said who may", async () => {
    const sample = await ownSample();
    for (const path of [sample.root, sample.directory]) await chmod(path, 0o755);
    // Nothing is refused to root.
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) await chmod(await firstFile(sample), 0);
    const asNobody = isRoot
      ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
      : ["env"];
    const command = [
      process.execPath,
      "--conditions=ai-audit-source",
      MAIN,
      "verify",
      sample.directory,
    ];
    const file = await firstFile(sample);
    const [program = "", ...words] = [...asNobody, ...command];
    await expect(run(program, words)).rejects.toMatchObject({
      code: 3,
      stdout: `NOT VERIFIED: EACCES: permission denied, open '${file}'\n`,
      stderr: "run as the user that owns the log, or have its owner grant access\n",
    });
  });

  it("without a key that is trusted the log is not proven, and the exit code is 2", async () => {
    const sample = await sharedSample();
    expect(await printed(["verify", sample.directory], { sample, code: 2 })).toMatchInlineSnapshot(`
      "UNKNOWN_KEY: 7 entries in 1 file; 1 file signed by example.com/audit+KEYHASH, a key that was not given; newest sealed time 2026-01-01T00:00:00.000Z; not anchored: a cut-off newest end would not show

      FILE                  STATE        ENTRIES  LEAVES  SIGNED BY
      audit_20260101.jsonl  UNKNOWN_KEY        7       9  -

      UNKNOWN_KEY audit_20260101.jsonl: signed by example.com/audit+KEYHASH, a key that was not given
      --- stderr
      signed by a key that was not given: have it from its owner, and give it with --trust VKEY, or set AUDIT_TRUSTED_KEYS
      "
    `);
  });

  it("trusted keys are taken from AUDIT_TRUSTED_KEYS", async () => {
    const sample = await sharedSample();
    const env = { AUDIT_TRUSTED_KEYS: sample.vkey };
    expect((await cli(["verify", sample.directory], { env })).code).toBe(0);
  });

  it("a changed entry is named with its file and line, and the exit code is 1", async () => {
    const copy = await ownSample();
    const file = await firstFile(copy);
    await writeFile(
      file,
      (await readFile(file, "utf8")).replace('"user_id":"eve"', '"user_id":"bob"'),
    );

    const output = await printed(["verify", copy.directory, "-t", copy.vkey], {
      sample: copy,
      code: 1,
    });

    expect(output).toMatchInlineSnapshot(`
      "TAMPERED: 2 entries in 1 file; audit_20260101.jsonl lines 6 to 7, entry entry-3-0000000000000000000000000000: the lines are not those that were sealed; nothing after it can be checked; not anchored: a cut-off newest end would not show

      FILE                  STATE     ENTRIES  LEAVES  SIGNED BY
      audit_20260101.jsonl  TAMPERED        2       3  -

      TAMPERED audit_20260101.jsonl, lines 6 to 7, entry entry-3-0000000000000000000000000000: the lines are not those that were sealed; nothing after it can be checked
      "
    `);
  });

  it("with --json the findings are one object", async () => {
    const copy = await ownSample();
    const file = await firstFile(copy);
    await writeFile(
      file,
      (await readFile(file, "utf8")).replace('"user_id":"eve"', '"user_id":"bob"'),
    );

    const { stdout, code } = await cli(["verify", copy.directory, "-t", copy.vkey, "--json"]);

    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      exitCode: 1,
      files: [
        {
          file: await firstFileName(copy),
          state: "TAMPERED",
          problems: [{ state: "TAMPERED", entryId: copy.ids[2] }],
        },
      ],
    });
  });

  it("--since reads everything, judges the files of a day and later ones, and says what it does not judge", async () => {
    const sample = await sharedSample();
    const log = join(await temporaryDirectory(), "log");
    await writeOldLog(log, ["2024-01-01", "2024-01-02", "2024-01-03"], sample.signingKey);
    const since = (time: string, code: number): Promise<string> =>
      printed(["verify", log, "-t", sample.vkey, "--since", time], { sample, code });

    expect(await since("2024-01-01", 0)).toMatchInlineSnapshot(`
      "OK: 3 entries in 3 files; sealed by example.com/audit+KEYHASH (trusted by --trust); 3 files imported on 2026-01-01; newest sealed time 2026-01-01T00:00:00.000Z; not anchored: a cut-off newest end would not show
      "
    `);
    expect(await since("2024-01-03T23:59", 0)).toMatchInlineSnapshot(`
      "OK since 2024-01-03: 1 entry in 1 file; sealed by example.com/audit+KEYHASH (trusted by --trust); 3 files imported on 2026-01-01; newest sealed time 2026-01-01T00:00:00.000Z; not anchored: a cut-off newest end would not show; not judged: 2 files of earlier days, all of them OK
      "
    `);
    const oldest = join(log, "audit_20240101.jsonl");
    await writeFile(
      oldest,
      (await readFile(oldest, "utf8")).replace("of 2024-01-01", "of 2024-01-31"),
    );
    expect(await since("2024-01-02", 0)).toMatchInlineSnapshot(`
      "OK since 2024-01-02: 2 entries in 2 files; sealed by example.com/audit+KEYHASH (trusted by --trust); 2 files imported on 2026-01-01; newest sealed time 2026-01-01T00:00:00.000Z; not anchored: a cut-off newest end would not show; not judged: 1 file of earlier days, 1 of them not OK
      "
    `);
    expect(await since("2024-01-01", 1)).toMatch(/^TAMPERED: /);
    expect(await since("2024-01-04", 3)).toMatchInlineSnapshot(`
      "NOT VERIFIED: no file of 2024-01-04 or later; not judged: 3 files of earlier days, 1 of them not OK
      "
    `);
    await rm(join(log, "audit_20240102.jsonl"));
    expect(await since("2024-01-02", 1)).toMatchInlineSnapshot(`
      "MISSING since 2024-01-02: 1 entry in 1 file; audit_20240102.jsonl: audit_20240103.jsonl records 3 leaves; the file is gone, and no retention.prune line says why; sealed by example.com/audit+KEYHASH (trusted by --trust); more may be gone: a missing file may have been the only record of others; 1 file imported on 2026-01-01; newest sealed time 2026-01-01T00:00:00.000Z; not anchored: a cut-off newest end would not show; not judged: 1 file of earlier days, 1 of them not OK

      FILE                  STATE    ENTRIES  LEAVES  SIGNED BY
      audit_20240102.jsonl  MISSING        0       3  -

      MISSING audit_20240102.jsonl: audit_20240103.jsonl records 3 leaves; the file is gone, and no retention.prune line says why
      "
    `);

    const { stdout } = await cli([
      "verify",
      log,
      "-t",
      sample.vkey,
      "--since",
      "2024-01-03",
      "--json",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      exitCode: 0,
      files: [{ file: "audit_20240103.jsonl" }],
      notJudged: { before: "2024-01-03", files: 2, notOk: 2 },
    });
  });

  it("a missing location cannot be verified: the exit code is 3", async () => {
    const sample = await sharedSample();
    expect(await printed(["verify", join(sample.root, "none")], { sample, code: 3 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: no log there: ROOT/none
        give the directory that the application logs to
      "
    `);
  });

  it("a directory without a log cannot be verified", async () => {
    const sample = await sharedSample();
    expect(await printed(["verify", sample.root], { sample, code: 3 })).toMatchInlineSnapshot(`
      "--- stderr
      error: no log there, no .jsonl file: ROOT
        give the directory that the application logs to
      "
    `);
  });

  it("files that this library did not write are read, and nothing is claimed of them", async () => {
    const copy = await ownSample();
    await writeFile(
      join(copy.directory, "audit_20250101.jsonl"),
      '{"id":"x","timestamp":"2025-01-01T00:00:00"}\n',
    );
    const output = await printed(["verify", copy.directory, "-t", copy.vkey], {
      sample: copy,
      code: 2,
    });
    expect(output).toMatchInlineSnapshot(`
      "FOREIGN: 7 entries in 2 files; sealed by example.com/audit+KEYHASH (trusted by --trust); 1 file not written by this library, which nothing vouches for; newest sealed time 2026-01-01T00:00:00.000Z; not anchored: a cut-off newest end would not show

      FILE                  STATE    ENTRIES  LEAVES  SIGNED BY
      audit_20250101.jsonl  FOREIGN        1       0  -

      FOREIGN audit_20250101.jsonl: not written by this library: read, but nothing vouches for it
      "
    `);
  });

  it("a malformed key is refused before anything is read", async () => {
    const sample = await sharedSample();
    expect(await printed(["verify", sample.directory, "-t", "nonsense"], { sample, code: 78 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: A verification key must look like <name>+<8 hex digits>+<base64 of an Ed25519 public key>
        \`ai-audit init\` makes keys, \`ai-audit keys export\` prints the verification key
      "
    `);
  });

  it("trusted keys from a settings file in the log itself are refused", async () => {
    const copy = await ownSample();
    await writeFile(join(copy.directory, "ai-audit.env"), `AUDIT_TRUSTED_KEYS=${copy.vkey}\n`);
    const env = { AUDIT_CONFIG: "ai-audit.env" };
    const output = await printed(["verify", "."], {
      cwd: copy.directory,
      sample: copy,
      code: 78,
      env,
    });
    expect(output).toMatchInlineSnapshot(`
      "--- stderr
      error: trusted keys must not come from the log itself: ROOT/audit-logs/ai-audit.env
        give the key that you know from elsewhere with --trust, or set AUDIT_TRUSTED_KEYS
      "
    `);
  });

  it("and so they are through a link to the log", async () => {
    const copy = await ownSample();
    await writeFile(join(copy.directory, "ai-audit.env"), `AUDIT_TRUSTED_KEYS=${copy.vkey}\n`);
    await symlink(copy.directory, join(copy.root, "link"));
    const env = { AUDIT_CONFIG: "ai-audit.env" };
    const { code } = await cli(["verify", join(copy.root, "link")], { cwd: copy.directory, env });
    expect(code).toBe(78);
  });

  it.each([["verify"], ["pin"]])(
    "%s takes no key from a settings file that merely lies in the working directory, unless it is named",
    async (command) => {
      const copy = await ownSample();
      await writeFile(join(copy.root, "ai-audit.env"), `AUDIT_TRUSTED_KEYS=${copy.vkey}\n`);
      const cwd = copy.root;
      const passedOver = await cli([command, copy.directory], { cwd });
      expect(passedOver).toMatchObject({ code: 2 });
      expect(passedOver.stdout + passedOver.stderr).toContain("UNKNOWN_KEY: 7 entries");
      const named = await cli([command, copy.directory], {
        cwd,
        env: { AUDIT_CONFIG: "ai-audit.env" },
      });
      expect(named).toMatchObject({ code: 0 });
      expect(named.stdout + named.stderr).toMatch(
        /sealed by example\.com\/audit\+[0-9a-f]{8} \(trusted by AUDIT_TRUSTED_KEYS of .*ai-audit\.env\)/,
      );
    },
  );

  it("--watch prints the next verdict when it changes", async () => {
    const copy = await ownSample();
    const child = start(["verify", copy.directory, "-t", copy.vkey, "--watch", "0.2"]);
    const closed = once(child.process, "close"); // listened for before it can happen
    await child.until("OK: 7 entries");

    await rename(await firstFile(copy), join(copy.root, "stolen"));
    await child.until("error:");

    await closed;
    expect(child.process.exitCode).toBe(3);
  });
});
