import { describe, expect, it } from "vitest";
import { cli, printed, withAllKeys } from "./support/cli.ts";
import { normalise } from "./support/normalise.ts";
import { ownSample, sharedSample } from "./support/samples.ts";

describe("A key that does not fit", { timeout: 60_000 }, () => {
  const env = { AUDIT_ENCRYPTION_KEY: "A".repeat(43) };
  const KEY_ID = /"k[\w-]{10}"/g;

  it("is said to be so by show, after what could be shown, with exit code 78", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[2] ?? "", sample.directory, "-d"];
    const { stdout, stderr, code } = await cli(words, { env });
    expect(code).toBe(78);
    expect(stdout).toMatch(/^outcome +blocked$/m);
    expect(normalise(stderr, sample).replaceAll(KEY_ID, '"KEYID"')).toMatchInlineSnapshot(`
      "error: entry entry-3-0000000000000000000000000000 could not be opened: The key "KEYID" is needed and is not known here
        set AUDIT_ENCRYPTION_KEY or AUDIT_ENCRYPTION_KEY_FILE to the application's keys, and AUDIT_SUBJECT_KEYS to its key store
      "
    `);
    expect(await cli([...words, "--json"], { env })).toMatchObject({ code: 78, stderr });
  });

  it("is said to be so by query --text, once, however many entries it does not open", async () => {
    const sample = await sharedSample();
    const words = ["query", sample.directory, "--text", "France", "-d"];
    const output = await printed(words, { sample, env, code: 78 });
    expect(output.replaceAll(KEY_ID, '"KEYID"')).toMatchInlineSnapshot(`
      "--- stderr
      error: 7 entries, entry-1-0000000000000000000000000000 first, could not be opened: The key "KEYID" is needed and is not known here
        set AUDIT_ENCRYPTION_KEY or AUDIT_ENCRYPTION_KEY_FILE to the application's keys, and AUDIT_SUBJECT_KEYS to its key store
      "
    `);
  });

  it("is never passed over by what hands contents on", async () => {
    const sample = await sharedSample();
    for (const words of [
      ["export", sample.directory, "-d"],
      ["export", sample.directory, "-d", "-f", "csv"],
      ["conversation", "geography", sample.directory, "-d"],
      ["tail", sample.directory, "-d", "-f", "--full"],
      ["query", sample.directory, "-d", "--full"],
    ]) {
      const { code, stderr } = await cli(words, { env });
      expect({ words, code, stderr }).toMatchObject({
        code: 78,
        stderr: expect.stringContaining(GIVE_KEY) as string,
      });
    }
  });

  it("is another thing than a person who was erased", async () => {
    const sample = await ownSample();
    const keys = withAllKeys(sample);
    const erase = ["erase-subject", "Grace Hopper", sample.directory, "--reason", "x", "--yes"];
    await printed(erase, { sample, env: keys });
    expect(
      (await cli(["show", sample.ids[5] ?? "", sample.directory, "-d"], { env: keys })).code,
    ).toBe(0);
    const query = ["query", sample.directory, "--text", "France", "-d", "-c"];
    expect(await printed(query, { sample, env: keys })).toMatchInlineSnapshot(`
      "2
      --- stderr
      1 entry could not be searched for text: encrypted
      "
    `);
  });
});

const GIVE_KEY = "set AUDIT_ENCRYPTION_KEY or AUDIT_ENCRYPTION_KEY_FILE to the application's keys";
