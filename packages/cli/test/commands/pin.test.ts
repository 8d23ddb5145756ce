import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AuditLogger, FileStorage, Signer } from "@ai-audit/core";
import { cli, printed, withAllKeys } from "../support/cli.ts";
import { firstFile } from "../support/first-file.ts";
import { writeOldLog } from "../support/old-log.ts";
import type { SampleLog } from "../support/sample-log.ts";
import { ownSample, sharedSample } from "../support/samples.ts";

describe("ai-audit pin", { timeout: 60_000 }, () => {
  it("the pin is a note of each writer's newest state", async () => {
    const sample = await sharedSample();
    expect(await printed(["pin", sample.directory, "-t", sample.vkey], { sample }))
      .toMatchInlineSnapshot(`
        "# noted 2026-01-01T00:00:00.000Z
        example.com/audit/STREAM/audit_20260101
        9
        ROOTHASH

        — example.com/audit SIGNATURE
        --- stderr
        OK: 7 entries in 1 file; sealed by example.com/audit+KEYHASH (trusted by --trust); newest sealed time 2026-01-01T00:00:00.000Z; not anchored: a cut-off newest end would not show
        "
      `);
  });

  it("a log that was cut off after it was pinned is a ROLLBACK", async () => {
    const copy = await ownSample();
    const pin = join(copy.root, "pin");
    await printed(["pin", copy.directory, "-t", copy.vkey, "-o", pin]);
    const file = await firstFile(copy);
    const lines = (await readFile(file, "utf8")).split("\n");
    await writeFile(file, `${lines.slice(0, 7).join("\n")}\n`);

    const output = await printed(["verify", copy.directory, "-t", copy.vkey, "-p", pin], {
      sample: copy,
      code: 1,
    });

    expect(output).toMatchInlineSnapshot(`
      "ROLLBACK: 3 entries in 1 file; audit_20260101.jsonl: a pin records 9 leaves; 4 are there; sealed by example.com/audit+KEYHASH (trusted by --trust); newest sealed time 2026-01-01T00:00:00.000Z; not anchored: none of the given pins fits

      FILE                  STATE     ENTRIES  LEAVES  SIGNED BY
      audit_20260101.jsonl  ROLLBACK        3       4  example.com/audit+KEYHASH

      ROLLBACK audit_20260101.jsonl: a pin records 9 leaves; 4 are there
      "
    `);
  });

  it("a whole writer's log that was removed after it was pinned is MISSING", async () => {
    const copy = await ownSample();
    await logMore(copy);
    const pin = join(copy.root, "pin");
    await printed(["pin", copy.directory, "-t", copy.vkey, "-o", pin]);
    expect((await readFile(pin, "utf8")).split("\n\n")).toHaveLength(3); // two notes, each ended by a blank line
    await rm((await firstFile(copy)).replace(".jsonl", "_001.jsonl"));

    const { stdout } = await cli(["verify", copy.directory, "-t", copy.vkey, "-p", pin, "--json"]);

    expect(JSON.parse(stdout)).toMatchObject({
      exitCode: 1,
      files: [{ state: "OK" }, { state: "MISSING" }],
    });
  });

  it("an untouched log is anchored to its pin", async () => {
    const sample = await sharedSample();
    const copy = await ownSample();
    const pin = join(copy.root, "pin");
    await printed(["pin", sample.directory, "-t", sample.vkey, "-o", pin]);

    const output = await printed(["verify", sample.directory, "-t", sample.vkey, "-p", pin], {
      sample,
    });

    expect(output).toMatchInlineSnapshot(`
      "OK: 7 entries in 1 file; sealed by example.com/audit+KEYHASH (trusted by --trust); newest sealed time 2026-01-01T00:00:00.000Z; anchored to example.com/audit/STREAM/audit_20260101 at 9 leaves
      "
    `);
  });

  it("an altered log is not pinned", async () => {
    const copy = await ownSample();
    const file = await firstFile(copy);
    await writeFile(file, (await readFile(file, "utf8")).replace('"eve"', '"bob"'));
    const { code, stdout, stderr } = await cli(["pin", copy.directory, "-t", copy.vkey]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^error: nothing was pinned\. TAMPERED: /);
  });

  it("a pin is never written over another", async () => {
    const copy = await ownSample();
    const pin = join(copy.root, "pin");
    await copyFile(await firstFile(copy), pin);
    const output = await printed(["pin", copy.directory, "-t", copy.vkey, "-o", pin], {
      sample: copy,
      code: 73,
    });
    expect(output).toMatchInlineSnapshot(`
      "--- stderr
      error: already exists: ROOT/pin
        choose another name, or remove it first
      "
    `);
  });

  it("--append verifies with the pins that are there, and adds what is new to them", async () => {
    const copy = await ownSample();
    const pins = join(copy.root, "pins");
    const append = ["pin", copy.directory, "-t", copy.vkey, "--append", pins];
    const notes = async (): Promise<number> =>
      (await readFile(pins, "utf8")).split("example.com/audit/").length - 1;
    await printed(append);
    expect(await notes()).toBe(1);
    await logMore(copy);
    const { stderr } = await cli(append);
    expect(stderr).toContain("anchored to example.com/audit/");
    expect(await notes()).toBe(2);
    await printed(append);
    expect(await notes()).toBe(2);

    const file = await firstFile(copy);
    const lines = (await readFile(file, "utf8")).split("\n");
    await writeFile(file, `${lines.slice(0, 7).join("\n")}\n`);
    const refused = await cli(append);
    expect({ code: refused.code, stderr: refused.stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("nothing was pinned. ROLLBACK") as string,
    });
    expect(await notes()).toBe(2);
  });

  it.each([
    { rule: [], since: "", code: 2, says: "pinned, and removed by the log's operator" },
    {
      rule: ["--retention", "3650"],
      since: "2020-01-01",
      code: 1,
      says: "your rule keeps files 3650 days",
    },
    { rule: ["--retention", "30"], since: "2020-01-01", code: 0, says: "within your rule" },
    {
      rule: ["--retention", "3650"],
      since: "",
      code: 2,
      says: "pinned, and removed by the log's operator",
    },
  ])(
    "a rule kept with pins judges removals of files since its day: $rule $since",
    async ({ rule, since, code, says }) => {
      const copy = await ownSample();
      await writeOldLog(copy.directory, ["2024-01-01"], copy.signingKey);
      const pins = join(copy.root, "pins");
      await printed(["pin", copy.directory, "-t", copy.vkey, "-o", pins, ...rule]);
      const text = await readFile(pins, "utf8");
      if (since !== "") await writeFile(pins, text.replace(/since \S+$/m, `since ${since}`));
      await printed(["cleanup", copy.directory, "--actor", "ops"], { env: withAllKeys(copy) });
      const result = await cli(["verify", copy.directory, "-t", copy.vkey, "-p", pins]);
      expect({ code: result.code, stdout: result.stdout }).toEqual({
        code,
        stdout: expect.stringContaining(says) as string,
      });
    },
  );

  it("a directory for a pin is named", async () => {
    const sample = await sharedSample();
    const words = ["verify", sample.directory, "-p", sample.root];
    expect(await printed(words, { sample, code: 3 })).toMatchInlineSnapshot(`
      "--- stderr
      error: a directory, where a file is expected: ROOT
        pins are written by: ai-audit pin
      "
    `);
  });

  it("a file that is no pin stops the verifier", async () => {
    const sample = await sharedSample();
    const words = ["verify", sample.directory, "-t", sample.vkey, "-p", await firstFile(sample)];
    expect(await printed(words, { sample, code: 3 })).toMatchInlineSnapshot(`
      "--- stderr
      error: not a file of pins: ROOT/audit-logs/audit_20260101.jsonl
        pins are written by: ai-audit pin
      "
    `);
  });
});

/** A second writer's entry. */
async function logMore({ directory, signingKey }: SampleLog): Promise<void> {
  const storage = new FileStorage({
    path: directory,
    signer: Signer.fromPem("example.com/audit", signingKey),
  });
  const logger = new AuditLogger(storage);
  await logger.log({ input: "more", output: "" });
  await logger.close();
}
