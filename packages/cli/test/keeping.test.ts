import { execFile } from "node:child_process";
import { chmod, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { EncryptionManager, fileKeys, placeHold, releaseHold, Signer } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { cli, type CliResult, printed, withAllKeys } from "./support/cli.ts";
import { firstFile } from "./support/first-file.ts";
import { oldId, writeOldLog } from "./support/old-log.ts";
import { ownSample, sharedSample } from "./support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe("ai-audit init", { timeout: 60_000 }, () => {
  it("keys and settings are made, readable by their owner alone, and work", async () => {
    const root = await temporaryDirectory();

    const { code, stdout } = await cli(["init", root, "--name", "example.com/audit"]);

    expect(code).toBe(0);
    const vkey = (await readFile(join(root, "audit-keys/signing.vkey"), "utf8")).trim();
    const pem = await readFile(join(root, "audit-keys/signing.pem"), "utf8");
    expect(Signer.fromPem("example.com/audit", pem).vkey).toBe(vkey);
    expect(stdout).toContain(`\n    ${vkey}\n`);
    const keys = new EncryptionManager(
      await fileKeys(join(root, "audit-keys/encryption.key")).load(),
    );
    expect(keys.decrypt(keys.encrypt("x"))).toBe("x");
    for (const name of ["signing.pem", "encryption.key", ".gitignore"]) {
      expect((await stat(join(root, "audit-keys", name))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(join(root, "audit-keys"))).mode & 0o777).toBe(0o700);
    expect(await cli(["keys", "export"], { cwd: root })).toMatchObject({
      code: 0,
      stdout: `${vkey}\n`,
    });
  });

  it("what it says", async () => {
    const root = await temporaryDirectory();
    const output = await printed(["init", root, "--name", "example.com/audit"], {
      env: { npm_lifecycle_event: "" },
    });
    const settings = await readFile(join(root, "ai-audit.env"), "utf8");
    const vkey = /example\.com\/audit\+[0-9a-f]{8}\+\S+/g;
    expect(output.replaceAll(root, "ROOT").replaceAll(vkey, "VKEY")).toMatchInlineSnapshot(`
      "made ROOT/audit-keys and ROOT/ai-audit.env

      In the application:

          import { AuditLogger, EncryptionManager, FileStorage, Signer } from "@ai-audit/core";

          const logger = new AuditLogger(new FileStorage({ path: "./audit-logs", signer: Signer.fromEnv("example.com/audit") }), {
            encryption: EncryptionManager.fromEnv(), // AUDIT_ENCRYPTION_KEY
            storeContent: true, // default: hashes only
          });

      Give it the keys by its environment, from a secret store or, in a shell:

          export AUDIT_SIGNING_KEY="$(cat ROOT/audit-keys/signing.pem)"
          export AUDIT_ENCRYPTION_KEY="$(cat ROOT/audit-keys/encryption.key)"

      To be able to erase the content of one person later, import FileKeyStore too and give the encryption a place for the
      keys of data subjects:

          EncryptionManager.fromEnv(undefined, { subjects: new FileKeyStore({ path: "ROOT/audit-keys/subjects" }) })

      Give this verification key to everybody who verifies the log. It is not secret:

          VKEY

      Back up the keys in another place than the log: without encryption.key, encrypted content can never be read again.
      Next: ai-audit doctor
      "
    `);
    expect(settings.replaceAll(vkey, "VKEY")).toMatchInlineSnapshot(`
      "# Settings of the ai-audit command. It reads this file from the directory it is run in, or from where AUDIT_CONFIG
      # says. Environment variables of the same names win. Relative paths start here.

      # directory of the log, or s3://bucket/prefix, for commands that are given none
      AUDIT_LOG=./audit-logs

      # URL of the server that speaks S3, where it is not AWS; region and credentials are the AWS SDK's
      #AUDIT_S3_ENDPOINT=

      # s3://bucket/prefix that closed segments are shipped to
      #AUDIT_ARCHIVE=

      # verification keys (vkeys) of those who may have signed the log, separated by spaces
      AUDIT_TRUSTED_KEYS=VKEY

      # file of pins: states of the log that an auditor noted earlier
      #AUDIT_PINS=

      # name of the signing key
      AUDIT_SIGNING_NAME=example.com/audit

      # the signing key itself, PKCS#8 PEM: better in the environment, from a secret store
      #AUDIT_SIGNING_KEY=

      # or a file that holds it
      AUDIT_SIGNING_KEY_FILE=./audit-keys/signing.pem

      # key of the content, base64url: better in the environment, from a secret store
      #AUDIT_ENCRYPTION_KEY=

      # or a file that holds it
      AUDIT_ENCRYPTION_KEY_FILE=./audit-keys/encryption.key

      # directory with the secrets of data subjects
      AUDIT_SUBJECT_KEYS=./audit-keys/subjects

      # days that entries are kept
      AUDIT_RETENTION_DAYS=365

      # days that entries must be kept by law; doctor warns of a shorter retention
      #AUDIT_RETENTION_FLOOR_DAYS=
      "
    `);
  });

  it("nothing that exists is replaced", async () => {
    const root = await temporaryDirectory();
    await printed(["init", root]);
    const before = await readFile(join(root, "audit-keys/encryption.key"), "utf8");

    const output = await printed(["init", root], { code: 73 });

    expect(output.replaceAll(root, "ROOT")).toMatchInlineSnapshot(`
      "--- stderr
      error: already exists: ROOT/audit-keys
        keys are never replaced; to add a new one: ai-audit keys rotate
      "
    `);
    expect(await readFile(join(root, "audit-keys/encryption.key"), "utf8")).toBe(before);
  });

  it("a name that cannot name a key is refused, and nothing is made", async () => {
    const root = await temporaryDirectory();
    const output = await printed(["init", root, "--name", "two words"], { code: 64 });
    expect(output).toMatchInlineSnapshot(`
      "--- stderr
      error: --name: The name of a signing key must not be empty and must not contain white space or '+'
        such as example.com/audit
      "
    `);
    expect(await readdir(root)).toEqual([]);
  });

  it("what it says to a shell and a program is so, also in a place with a strange name", async () => {
    const root = join(await temporaryDirectory(), "it's $HOME");
    const { stdout } = await cli(["init", root, "--name", "acme"], {
      env: { npm_lifecycle_event: "ai-audit" },
    });
    expect(stdout).toMatch(/\nNext: npm run -s ai-audit -- doctor\n$/);

    const exported = (stdout.match(/^ {4}export .*$/gm) ?? []).join("\n");
    const run = promisify(execFile);
    const { stdout: told } = await run("bash", [
      "-c",
      `${exported}\nnode -p 'JSON.stringify(process.env)'`,
    ]);
    const env = JSON.parse(told) as Record<string, string>;
    const [, vkey = ""] = /\n {4}(acme\+\S+)\n/.exec(stdout) ?? [];
    expect(Signer.fromEnv("acme", "AUDIT_SIGNING_KEY", env).vkey).toBe(vkey);

    const [program = ""] = /^ {4}import [^]*?\}\);\n/m.exec(stdout) ?? [];
    const file = join(root, "program.mts");
    const here = program.replace(
      "@ai-audit/core",
      fileURLToPath(import.meta.resolve("@ai-audit/core")),
    );
    await writeFile(
      file,
      `${here}await logger.log({ input: "a", output: "b" });\nawait logger.close();\n`,
    );
    await run(process.execPath, ["--conditions=ai-audit-source", file], { cwd: root, env });
    // Keys of a settings file beside the log are trusted only if the file was named.
    const named = { AUDIT_CONFIG: "ai-audit.env" };
    const { code, stdout: verdict } = await cli(["verify"], { cwd: root, env: named });
    expect({ code, verdict }).toEqual({
      code: 0,
      verdict: expect.stringMatching(/^OK: 1 entry in 1 file; sealed by acme/) as string,
    });
  });
});

describe("ai-audit doctor", { timeout: 60_000 }, () => {
  it("after init everything is good but what was not decided", async () => {
    const root = await temporaryDirectory();
    await printed(["init", root, "--name", "example.com/audit"]);
    const output = await printed(["doctor"], { cwd: root });
    expect(output.replaceAll(root, "ROOT").replaceAll(/k[\w-]{10};/g, "KEYID;"))
      .toMatchInlineSnapshot(`
      "good   settings      from ROOT/ai-audit.env
      good   signing       example.com/audit, trusted
      look   log           no log there: ROOT/audit-logs
                           → right before the first entry; else give the log's directory, or set AUDIT_LOG
      good   encryption    KEYID; no content to try it on
      good   subjects      ROOT/audit-keys/subjects
      look   retention     365 days; the legal minimum is not set
                           → set AUDIT_RETENTION_FLOOR_DAYS (EU AI Act, articles 19 and 26: six months at least, that is 184)
      "
    `);
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

describe("ai-audit keys", { timeout: 60_000 }, () => {
  it("a rotated key writes, and the older one still opens", async () => {
    const root = await temporaryDirectory();
    await printed(["init", root]);
    const file = join(root, "audit-keys/encryption.key");
    const before = new EncryptionManager(await fileKeys(file).load());
    const sealed = before.encrypt("before");

    const { code, stdout } = await cli(["keys", "rotate", "--json"], { cwd: root });

    const after = new EncryptionManager(await fileKeys(file).load());
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ current: after.keyId, file });
    expect(after.keyId).not.toBe(before.keyId);
    expect(after.decrypt(sealed)).toBe("before");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const listed = await cli(["keys", "list", "--json"], { cwd: root });
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { use: "encryption", id: before.keyId, note: "reads" },
      { use: "encryption", id: after.keyId, note: "writes and reads" },
      { use: "verification", note: "of the signing key" },
    ]);
  });

  it("a key in the environment is not rotated unless it may be printed", async () => {
    const env = { AUDIT_ENCRYPTION_KEY: "A".repeat(43) };
    expect(await printed(["keys", "rotate"], { env, code: 78 })).toMatchInlineSnapshot(`
      "--- stderr
      error: the key is in AUDIT_ENCRYPTION_KEY (the environment), which this command cannot change
        --print shows the new value, secrets included
      "
    `);
    const { stdout } = await cli(["keys", "rotate", "--print"], { env });
    const ring = JSON.parse(stdout) as { current: string; keys: Record<string, string> };
    expect(Object.values(ring.keys)).toContain("A".repeat(43));
    expect(Object.keys(ring.keys)).toContain(ring.current);
  });

  it("one content key is exported as a JSON Web Key", async () => {
    const sample = await sharedSample();
    const shown = await cli(["show", sample.ids[0] ?? "", sample.directory, "--json"]);
    const { kid } = JSON.parse(shown.stdout) as { kid: string };
    const { stdout } = await cli(["keys", "export", "--content", kid], {
      env: withAllKeys(sample),
    });
    expect(JSON.parse(stdout)).toMatchObject({
      kty: "oct",
      alg: "A256GCM",
      kid,
      k: expect.any(String) as unknown,
    });
  });

  it("a key file that others can read is refused", async () => {
    const root = await temporaryDirectory();
    await printed(["init", root]);
    await chmod(join(root, "audit-keys/encryption.key"), 0o644);
    const output = await printed(["keys", "list"], { cwd: root, code: 78 });
    expect(output.replaceAll(root, "ROOT")).toMatchInlineSnapshot(`
      "--- stderr
      error: The key file ROOT/audit-keys/encryption.key has mode 644: others than its owner may use it; make it 600
      "
    `);
  });
});

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
      audit_20240101.jsonl  2024-01-01T12:00:00.000Z  2024-01-01T12:00:00.000Z        1  refused: it is not what was sealed, or not what the log recorded of it
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

describe("ai-audit hold", { timeout: 60_000 }, () => {
  it("what is held stays until it is released", async () => {
    const root = await temporaryDirectory();
    await writeOldLog(root, ["2024-01-01", "2024-01-02"]);

    const by = ["--reason", "case 12", "--actor", "legal"];
    const placed = await cli([
      "hold",
      "place",
      root,
      "--conversation",
      "of 2024-01-02",
      ...by,
      "--json",
    ]);
    const { hold } = JSON.parse(placed.stdout) as { hold: string };
    expect((await printed(["hold", "list", root])).replaceAll(hold, "HOLD")).toMatchInlineSnapshot(`
      "HOLD                                  FROM                      TO                        ACTOR  REASON
      HOLD  2024-01-02T12:00:00.000Z  2024-01-02T12:00:00.000Z  legal  case 12
      "
    `);
    expect(steady(await printed(["cleanup", root])).replace(hold, "HOLD")).toMatchInlineSnapshot(`
      "retention 365 days (the default): removes entries older than TIME UTC
      FILE                  FROM                      TO                        ENTRIES  FATE
      audit_20240101.jsonl  2024-01-01T12:00:00.000Z  2024-01-01T12:00:00.000Z        1  removed
      audit_20240102.jsonl  2024-01-02T12:00:00.000Z  2024-01-02T12:00:00.000Z        1  stays: hold HOLD by legal: case 12
      1 entry in 1 file removed
      "
    `);

    expect(await printed(["hold", "release", hold, root, ...by])).toBe(`released ${hold}\n`);
    expect(await printed(["hold", "list", root])).toBe("--- stderr\nno hold is in force\n");
    expect(steady(await printed(["cleanup", root])).replace(hold, "HOLD")).toMatchInlineSnapshot(`
      "retention 365 days (the default): removes entries older than TIME UTC
      FILE                  FROM                      TO                        ENTRIES  FATE
      audit_20240102.jsonl  2024-01-02T12:00:00.000Z  2024-01-02T12:00:00.000Z        1  removed
      1 entry in 1 file removed
      "
    `);
  });

  it("an entry, a time or everything can be held, one of them at a time", async () => {
    const root = await temporaryDirectory();
    await writeOldLog(root, ["2024-01-01"]);
    const listed = await cli(["list", root, "--json"]);
    const { id } = JSON.parse(listed.stdout) as { id: string };

    await printed(["hold", "place", root, "--reason", "a", "--entry", id]);
    await printed([
      "hold",
      "place",
      root,
      "--reason",
      "b",
      "--since",
      "2024-01-01",
      "--until",
      "2024-01-31",
    ]);
    await printed(["hold", "place", root, "--reason", "c", "--all"]);

    const { stdout } = await cli(["hold", "list", root, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject([
      { reason: "a", from: "2024-01-01T12:00:00.000Z", to: "2024-01-01T12:00:00.000Z" },
      { reason: "b", from: "2024-01-01T00:00:00.000Z", to: "2024-01-31T23:59:59.999Z" },
      { reason: "c", from: null, to: null },
    ]);
    expect(await printed(["hold", "place", root, "--reason", "d"], { code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: it is not clear what to hold
        give one of: --since and --until, --entry, --conversation, --all
      "
    `);
    expect(
      await printed(["hold", "place", root, "--reason", "d", "--all", "--entry", id], { code: 64 }),
    ).toContain("not clear");
  });

  it("a reason must be given", async () => {
    const sample = await sharedSample();
    expect(await printed(["hold", "place", sample.directory, "--all"], { sample, code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: required option '--reason <text>' not specified
        see: ai-audit hold place --help
      "
    `);
  });

  it("a hold that is not in force cannot be released", async () => {
    const root = await temporaryDirectory();
    await writeOldLog(root, ["2024-01-01"]);
    expect(await printed(["hold", "release", "none", root, "--reason", "x"], { code: 1 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: no hold none is in force
        to see the holds: ai-audit hold list
      "
    `);
  });
});

describe("ai-audit erase-subject", { timeout: 60_000 }, () => {
  it("nothing is erased unless it is confirmed", async () => {
    const sample = await sharedSample();
    const words = ["erase-subject", "Grace Hopper", sample.directory, "--reason", "request 7"];
    expect(await printed(words, { sample, env: withAllKeys(sample), code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: 1 entry of that person would become unreadable permanently; nothing was done
        to do it, add --yes; to write everything first: ai-audit export-subject
      "
    `);
  });

  it("once erased, a person's entries cannot be opened, and the log verifies", async () => {
    const sample = await ownSample();
    const env = withAllKeys(sample);
    const words = [
      "erase-subject",
      "Grace Hopper",
      sample.directory,
      "--reason",
      "request 7",
      "--actor",
      "dpo",
    ];

    const output = await printed([...words, "--yes"], { sample, env });

    expect(output).toMatch(/^erased: 1 entry of [\w-]{16} can no longer be opened\n$/);
    const shown = await cli(["show", sample.ids[5] ?? "", sample.directory, "-d"], {
      env,
    });
    expect(shown.stdout).toMatch(
      /^input +\(encrypted: The data subject "[\w-]{16}" was erased: its secret is destroyed\)$/m,
    );
    const other = await cli(["show", sample.ids[3] ?? "", sample.directory, "-d"], {
      env,
    });
    expect(other.stdout).toContain("Summarise the report.");
    expect((await cli(["verify", sample.directory, "-t", sample.vkey])).code).toBe(0);
    expect(await printed([...words, "--yes"], { sample, env, code: 1 })).toMatchInlineSnapshot(`
      "--- stderr
      error: there is no secret of that person
        spell the name as the application does
      "
    `);
  });

  it("needs the application's key store", async () => {
    const sample = await sharedSample();
    const words = ["erase-subject", "Grace Hopper", sample.directory, "--reason", "x", "--yes"];
    const env = { AUDIT_ENCRYPTION_KEY: sample.encryptionKey };
    expect(await printed(words, { sample, env, code: 78 })).toMatchInlineSnapshot(`
      "--- stderr
      error: no key store of data subjects is set
        set AUDIT_SUBJECT_KEYS to the directory of the application's FileKeyStore
      "
    `);
  });
});

/** The output of cleanup with a word for the moment that it counts from. */
function steady(output: string): string {
  return output.replace(/than 20(?!24)\S+ \S+ UTC/m, "than TIME UTC");
}
