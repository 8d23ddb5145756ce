import { describe, expect, it } from "vitest";
import { cli, printed, withKeys } from "../support/cli.ts";
import { sharedSample } from "../support/samples.ts";

describe("ai-audit show", { timeout: 60_000 }, () => {
  it("an entry is shown in full, its content encrypted", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[0] ?? "", sample.directory];
    expect(await printed(words, { sample })).toMatchInlineSnapshot(`
      "entry         entry-1-0000000000000000000000000000
      recorded      2026-01-01T00:00:00.000Z
      operation     chat
      provider      openai
      model         gpt-5 (served: gpt-5-2026-01-01)
      actor         ada
      outcome       ok
      safety        passed; checks: openai.moderation
      latency       420 ms
      tokens        15 in, 2 out
      conversation  geography
      metadata      {"user_id":"ada","tags":{"team":"web"}}
      input hash    hmac-sha256:HASH
      output hash   hmac-sha256:HASH
      input         (encrypted: --decrypt opens it, with the key)
      output        (encrypted: --decrypt opens it, with the key)
      "
    `);
  });

  it("--decrypt opens the content with the key of the environment", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[3] ?? "", sample.directory, "--decrypt"];
    expect(await printed(words, { sample, env: withKeys(sample) })).toMatchInlineSnapshot(`
      "entry        entry-4-0000000000000000000000000000
      recorded     2026-01-01T00:00:00.000Z
      operation    chat
      provider     openai
      model        gpt-5
      actor        bob
      outcome      error
      error        RateLimitError (rate_limit_exceeded, HTTP 429): Rate limit reached
      safety       no check is on record
      latency      2.6 s (3 attempts)
      metadata     {"user_id":"bob"}
      input hash   hmac-sha256:HASH
      output hash  hmac-sha256:HASH
      input
          Summarise the report.
      output       (empty)
      "
    `);
  });

  it("what a user wrote cannot steer the terminal", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[5] ?? "", sample.directory, "-d"];
    const { stdout } = await cli(words, { env: withKeys(sample) });
    expect(stdout).toContain(String.raw`    Please change my address.\u001b[2J\u202e`);
    expect(stdout).toContain("    Done, 王さん.");
  });

  it("JSON has the content as it was", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[5] ?? "", sample.directory, "-d", "--json"];
    const { stdout } = await cli(words, { env: withKeys(sample) });
    expect(JSON.parse(stdout)).toMatchObject({
      id: sample.ids[5],
      input: "Please change my address.\u001B[2J\u202E",
      input_content: expect.stringMatching(/^eyJ/) as string,
    });
  });

  it("without a key nothing can be decrypted", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[0] ?? "", sample.directory, "-d"];
    expect(await printed(words, { sample, code: 78 })).toMatchInlineSnapshot(`
      "--- stderr
      error: no encryption key is set
        set AUDIT_ENCRYPTION_KEY, or AUDIT_ENCRYPTION_KEY_FILE to a file that holds the key
      "
    `);
  });

  it("a key that is none is refused without being shown", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[0] ?? "", sample.directory, "-d"];
    const output = await printed(words, {
      sample,
      code: 78,
      env: { AUDIT_ENCRYPTION_KEY: "hunter2" },
    });
    expect(output).toMatchInlineSnapshot(`
      "--- stderr
      error: The environment variable AUDIT_ENCRYPTION_KEY is not a key: expected 32 bytes as base64url (43 characters, or 44 with "="), as generateKey() makes them
        \`ai-audit init\` makes keys, \`ai-audit keys export\` prints the verification key
      "
    `);
  });

  it("another key opens nothing, and the entry is shown all the same", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[0] ?? "", sample.directory, "-d"];
    const { stdout, code } = await cli(words, { env: { AUDIT_ENCRYPTION_KEY: "A".repeat(43) } });
    expect(code).toBe(78);
    expect(stdout).toMatch(
      /input +\(encrypted: The key "k[\w-]{10}" is needed and is not known here\)/,
    );
  });

  it("an entry that is not there is said to be so, with exit code 1", async () => {
    const sample = await sharedSample();
    const words = ["show", "00000000-0000-7000-8000-000000000000", sample.directory];
    expect(await printed(words, { sample, code: 1 })).toMatchInlineSnapshot(`
      "--- stderr
      error: no entry 00000000-0000-7000-8000-000000000000 in ROOT/audit-logs
        to see ids: ai-audit list
      "
    `);
  });
});
