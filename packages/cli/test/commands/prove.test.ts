import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli, printed } from "../support/cli.ts";
import { firstFile } from "../support/first-file.ts";
import { ownSample, sharedSample } from "../support/samples.ts";

describe("ai-audit prove and check", { timeout: 60_000 }, () => {
  it("a proof is checked with nothing but the key", async () => {
    const sample = await sharedSample();
    const copy = await ownSample();
    const proof = join(copy.root, "proof");
    await printed(["prove", sample.ids[2] ?? "", sample.directory, "-o", proof]);

    expect(await printed(["check", proof, "-t", sample.vkey], { sample })).toMatchInlineSnapshot(`
      "OK: entry-3-0000000000000000000000000000 is in example.com/audit/STREAM/audit_20260101; sealed by example.com/audit+KEYHASH (trusted by --trust)

      entry         entry-3-0000000000000000000000000000
      recorded      2026-01-01T00:00:00.000Z
      operation     chat
      provider      azure.ai.openai
      model         gpt-4o
      actor         eve
      outcome       blocked
      safety        not passed; triggered: jailbreak; reason: content_filter
      latency       95 ms
      tokens        13 in, 0 out
      conversation  locks
      metadata      {"user_id":"eve"}
      input hash    hmac-sha256:HASH
      output hash   hmac-sha256:HASH
      input         (encrypted: --decrypt opens it, with the key)
      output        (encrypted: --decrypt opens it, with the key)
      "
    `);
  });

  it("a proof is read from standard input, and not proven without its key", async () => {
    const sample = await sharedSample();
    const { stdout } = await cli(["prove", sample.ids[0] ?? "", sample.directory]);
    const checked = await cli(["check", "-", "--json"], { stdin: stdout });
    expect(checked.code).toBe(2);
    expect(JSON.parse(checked.stdout)).toMatchObject({
      state: "UNKNOWN_KEY",
      entryId: sample.ids[0],
    });
  });

  it("an altered proof is refuted", async () => {
    const sample = await sharedSample();
    const { stdout } = await cli(["prove", sample.ids[0] ?? "", sample.directory]);
    const altered = stdout.replace(/^index \d+$/m, "index 5");
    const checked = await cli(["check", "-", "-t", sample.vkey], { stdin: altered });
    expect(checked).toMatchObject({
      code: 1,
      stdout: "TAMPERED: the line is not in the tree at this place\n",
    });
  });

  it("what is no proof cannot be checked", async () => {
    const sample = await sharedSample();
    expect(await printed(["check", await firstFile(sample)], { sample, code: 3 }))
      .toMatchInlineSnapshot(`
      "NOT VERIFIED: this is not a proof of an entry
      "
    `);
    expect(await printed(["check", join(sample.root, "none")], { sample, code: 3 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: no such file or directory: ROOT/none
        proofs are written by: ai-audit prove
      "
    `);
  });

  it("what is longer than any proof cannot be checked", async () => {
    const sample = await ownSample();
    const proof = join(sample.root, "long.proof");
    await writeFile(proof, "");
    await truncate(proof, 2 ** 30);
    const { code, stderr } = await cli(["check", proof, "-t", sample.vkey]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining("longer than any proof or line can be") as string,
    });
  });

  it("of a key that was not given is not proven, and it is said how it would be", async () => {
    const sample = await sharedSample();
    const { stdout: proof } = await cli(["prove", sample.ids[0] ?? "", sample.directory]);
    const { code, stderr } = await cli(["check", "-"], { stdin: proof });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("--trust VKEY") as string,
    });
  });

  it("an entry that is not there cannot be proved", async () => {
    const sample = await sharedSample();
    const none = "00000000-0000-7000-8000-000000000000";
    expect(await printed(["prove", none, sample.directory], { sample, code: 1 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: no entry 00000000-0000-7000-8000-000000000000 in ROOT/audit-logs
        to see ids: ai-audit list
      "
    `);
  });
});
