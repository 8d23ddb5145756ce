import { execFile } from "node:child_process";
import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { EncryptionManager, fileKeys, Signer } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { cli, printed } from "../support/cli.ts";
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

      Name the settings file to the command. Without that, verify trusts no key of it: anybody who hands over a log can put
      such a file beside it.

          export AUDIT_CONFIG=ROOT/ai-audit.env

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
      #AWS_ENDPOINT_URL_S3=

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
    // Keys of a settings file beside the log are trusted only if the file was named, as init says.
    const named = { AUDIT_CONFIG: env["AUDIT_CONFIG"] ?? "" };
    const { code, stdout: verdict } = await cli(["verify"], { cwd: root, env: named });
    expect({ code, verdict }).toEqual({
      code: 0,
      verdict: expect.stringMatching(/^OK: 1 entry in 1 file; sealed by acme/) as string,
    });
  });
});
