import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { placeHold, releaseHold, Signer } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { cli, printed, withAllKeys } from "../support/cli.ts";
import { firstFile } from "../support/first-file.ts";
import { writeOldLog } from "../support/old-log.ts";
import { ownSample, sharedSample } from "../support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe("ai-audit doctor", { timeout: 60_000 }, () => {
  it("after init everything is good but what was not decided", async () => {
    const root = await temporaryDirectory();
    await printed(["init", root, "--name", "example.com/audit"]);
    const output = await printed(["doctor"], { cwd: root });
    expect(output.replaceAll(root, "ROOT").replaceAll(/k[\w-]{10};/g, "KEYID;"))
      .toMatchInlineSnapshot(`
      "good   settings      from ROOT/ai-audit.env
      look   signing       example.com/audit signs; verify trusts the keys of ai-audit.env only when AUDIT_CONFIG names the file
                           → if it is yours: export AUDIT_CONFIG=ROOT/ai-audit.env
      look   log           no log there: ROOT/audit-logs
                           → right before the first entry; else give the log's directory, or set AUDIT_LOG
      good   encryption    KEYID; no content to try it on
      good   subjects      ROOT/audit-keys/subjects
      look   retention     365 days; the legal minimum is not set
                           → set AUDIT_RETENTION_FLOOR_DAYS (EU AI Act, articles 19 and 26: six months at least, that is 184)
      "
    `);
  });

  it("what doctor says of trust holds for verify, whether the settings file is named or merely found", async () => {
    const sample = await ownSample();
    await writeFile(join(sample.root, "ai-audit.env"), `AUDIT_TRUSTED_KEYS=${sample.vkey}\n`);
    const told = async (env: Record<string, string>): Promise<unknown> => {
      const place = { cwd: sample.root, env };
      const doctor = await cli(["doctor", sample.directory, "--json"], place);
      const findings = JSON.parse(doctor.stdout) as { about: string; state: string }[];
      const verify = await cli(["verify", sample.directory], place);
      const signing = findings.find(({ about }) => about === "signing");
      return { signing: signing?.state, code: verify.code };
    };
    expect(await told({})).toEqual({ signing: "look", code: 2 });
    expect(await told({ AUDIT_CONFIG: "ai-audit.env" })).toEqual({ signing: "good", code: 0 });
  });

  it("a log that fits its settings is good", async () => {
    const sample = await sharedSample();
    const env = {
      ...withAllKeys(sample),
      AUDIT_TRUSTED_KEYS: sample.vkey,
      AUDIT_RETENTION_FLOOR_DAYS: "184",
    };
    const { stdout, code } = await cli(["doctor", sample.directory, "--json"], { env });
    expect(code).toBe(0);
    const findings = JSON.parse(stdout) as { about: string; state: string }[];
    const notable = findings.filter(({ about, state }) => state !== "good" && about !== "disk");
    expect(notable).toEqual([]);
    expect(findings.map(({ about }) => about)).toEqual([
      "settings",
      "signing",
      "log",
      "encryption",
      "subjects",
      "retention",
      "files",
      "permissions",
      "disk",
      "record",
      "clock",
    ]);
  });

  it("what is wrong is said with its remedy, and the exit code is 1", async () => {
    const sample = await ownSample();
    await chmod(sample.directory, 0o755);
    await chmod(await firstFile(sample), 0o644);
    await writeFile(
      join(sample.directory, "audit_20250101.jsonl"),
      '{"id":"x","timestamp":"2025-01-01T00:00:00"}\n',
    );
    await writeFile(join(sample.directory, "audit_20250102.jsonl"), "");
    const env = {
      AUDIT_ENCRYPTION_KEY: "A".repeat(43),
      AUDIT_SIGNING_KEY: "not a key",
      AUDIT_SIGNING_NAME: "example.com/audit",
      AUDIT_RETENTION_DAYS: "30",
      AUDIT_RETENTION_FLOOR_DAYS: "184",
    };

    const output = await printed(["doctor", sample.directory], { sample, env, code: 1 });

    const lasting = output
      .replace(/^(?:good|look) +disk .*\n(?: +→ .*\n)?/m, "")
      .replaceAll(/"k[\w-]{10}"/g, '"KEYID"');
    expect(lasting).toMatchInlineSnapshot(`
      "good   settings      from the environment only
      wrong  signing       No private key can be read from AUDIT_SIGNING_KEY: it must be an unencrypted Ed25519 key as PKCS#8 PEM
                           → see docs/errors.md
      good   log           ROOT/audit-logs
      wrong  encryption    the key does not open the newest entry: The key "KEYID" is needed and is not known here
                           → set the key that the application uses
      look   subjects      some entries are about a person, and no key store is set: such content cannot be opened, exported or erased here
                           → set AUDIT_SUBJECT_KEYS to the directory of the application's FileKeyStore
      wrong  retention     30 days, and 184 days are the legal minimum
                           → raise AUDIT_RETENTION_DAYS
      look   files         1 file empty: a crash right after the file was made (audit_20250102.jsonl)
                           → verify reports them; they can be removed
      look   files         1 file not written by this library, without any proof (audit_20250101.jsonl)
                           → move them elsewhere; to import them from there: ai-audit import
      look   files         1 file signed by a key that is not trusted here (audit_20260101.jsonl)
                           → if you have that key from its owner, add it to AUDIT_TRUSTED_KEYS
      look   permissions   the directory has mode 755: others may list it
                           → chmod 700 ROOT/audit-logs
      look   permissions   3 files can be used by others, audit_20250101.jsonl first
                           → chmod 600 ROOT/audit-logs/*.jsonl, unless a group of auditors is meant to read them
      good   record        no loss, removal, hold, erasure or open call
      good   clock         2026-01-01T00:00:00.000Z; the newest entry has the time 2026-01-01T00:00:00.000Z
      "
    `);
  });

  it("a key store of persons that is not there, is none, or is open to others is wrong", async () => {
    const sample = await ownSample();
    const about = async (path: string): Promise<unknown> => {
      const env = { ...withAllKeys(sample), AUDIT_SUBJECT_KEYS: path };
      const { stdout } = await cli(["doctor", sample.directory, "--json"], { env });
      const findings = JSON.parse(stdout.replaceAll(sample.root, "ROOT")) as {
        about: string;
        state: string;
      }[];
      return findings.filter(
        (finding) => finding.about === "subjects" || finding.about === "encryption",
      );
    };
    const encryption = { about: "encryption", state: "good" };
    const remedy = "set it to the directory of the application's FileKeyStore";
    expect(await about(join(sample.root, "none"))).toMatchObject([
      encryption,
      {
        state: "wrong",
        message: "AUDIT_SUBJECT_KEYS: no such file or directory: ROOT/none",
        remedy,
      },
    ]);
    expect(await about(await firstFile(sample))).toMatchObject([
      encryption,
      {
        state: "wrong",
        message: expect.stringContaining("AUDIT_SUBJECT_KEYS is not a directory: ROOT/") as string,
      },
    ]);
    await chmod(sample.subjects, 0o750);
    expect(await about(sample.subjects)).toMatchObject([
      encryption,
      {
        state: "wrong",
        message: "ROOT/subjects has mode 750: users other than its owner may use the secrets",
        remedy: "chmod 700 ROOT/subjects",
      },
    ]);
  });

  it("a hold that the log's own key released is not in force, whoever placed it", async () => {
    const sample = await ownSample();
    const other = await Signer.generate("example.com/other");
    const by = { reason: "x", actor: "legal" };
    const hold = await placeHold(sample.directory, { ...by, signer: other });
    await releaseHold(sample.directory, hold, {
      ...by,
      signer: Signer.fromPem("example.com/audit", sample.signingKey),
    });
    const doctor = async (env: Readonly<Record<string, string>>): Promise<string> =>
      (await cli(["doctor", sample.directory], { env })).stdout;
    expect(await doctor({})).toContain("1 hold in force");
    expect(await doctor(withAllKeys(sample))).not.toContain("in force");
    expect(
      (await cli(["hold", "list", sample.directory], { env: withAllKeys(sample) })).stderr,
    ).toBe("no hold is in force\n");
    expect((await cli(["hold", "list", sample.directory])).stdout).toContain(hold);
  });

  it("entries from the future are a wrong clock", async () => {
    const root = await temporaryDirectory();
    await writeOldLog(join(root, "log"), ["2099-01-01"]);
    const { stdout, code } = await cli(["doctor", join(root, "log")]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^wrong {2}clock +the newest entry has the time 2099-01-01T12:00:00.000Z, and it is /m,
    );
  });
});
