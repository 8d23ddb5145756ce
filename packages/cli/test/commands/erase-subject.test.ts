import { describe, expect, it } from "vitest";
import { cli, printed, withAllKeys } from "../support/cli.ts";
import { ownSample, sharedSample } from "../support/samples.ts";

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
