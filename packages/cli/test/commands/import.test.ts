import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { cp, readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli, printed } from "../support/cli.ts";
import { sharedSample } from "../support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe("ai-audit import", { timeout: 60_000 }, () => {
  it("the original's entries are sealed under their own time, once", async () => {
    const log = join(await temporaryDirectory(), "log");
    const words = ["import", join(ORIGINAL_LOGS, "plain"), log];

    expect(await printed(words)).toBe("12 entries imported, 0 were already there\n");
    expect(await printed(words)).toBe("0 entries imported, 12 were already there\n");

    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    const { stdout } = await cli(["export", log]);
    const imported = records(stdout);
    expect(imported).toHaveLength(12);
    for (const record of records(original)) {
      const { id, timestamp, metadata, ...fields } = record;
      const copy = imported.find(
        (candidate) => Object(candidate["metadata"])["imported_id"] === id,
      );
      expect(copy).toMatchObject({
        ...fields,
        timestamp: `${String(timestamp).slice(0, 23)}Z`,
        metadata: metadata as object,
      });
    }
    expect((await cli(["verify", log])).stdout).toMatch(/^UNSIGNED: 12 entries in 1 file;/);
  });

  it("an entry that stands twice in the source is imported once", async () => {
    const root = await temporaryDirectory();
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    await writeFile(join(root, "audit_20261123.jsonl"), original + original);
    expect(await printed(["import", root, join(root, "log")])).toBe(
      "12 entries imported, 12 were already there\n",
    );
  });

  it("Fernet content is opened with its key and encrypted for the entry that now holds it", async () => {
    const log = join(await temporaryDirectory(), "log");
    const env = {
      AUDIT_ENCRYPTION_KEY: (await readFile(join(ORIGINAL_LOGS, "key.txt"), "utf8")).trim(),
    };
    const words = ["import", join(ORIGINAL_LOGS, "encrypted"), log];
    expect(await printed(words, { code: 78 })).toMatchInlineSnapshot(`
      "--- stderr
      error: input of 840ff467-5a50-48b8-ae0f-efa737c56cc2 is encrypted: give the logger encryption
        put the key into AUDIT_ENCRYPTION_KEY
      "
    `);

    expect(await printed(words, { env })).toBe("12 entries imported, 0 were already there\n");

    const before = await cli(["export", join(ORIGINAL_LOGS, "encrypted"), "-d"], { env });
    const after = await cli(["export", log, "-d"], { env });
    expect(contents(after.stdout)).toEqual(contents(before.stdout));
    expect(after.stdout).not.toContain("Z0FBQUFB"); // how the original's Fernet tokens begin
  });

  it("lines that are no entries are left out, counted and named, with exit code 65", async () => {
    const root = await temporaryDirectory();
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    const [first = "", second = "", ...rest] = original.trimEnd().split("\n");
    const timeless = second.replace(/"timestamp": "[^"]*"/, '"timestamp": "yesterday"');
    const bad = ["not JSON: a secret", '{"id": "x"}', timeless, '"text"', "[1, 2]", "{}"];
    await writeFile(
      join(root, "audit_20261123.jsonl"),
      [first, ...bad, "", ...rest, '{"id": "torn'].join("\n"),
    );
    await writeFile(join(root, "notes.jsonl"), "of somebody\n");
    const words = ["import", root, join(root, "log")];

    expect(await printed(words, { code: 65 })).toMatchInlineSnapshot(`
      "11 entries imported, 0 were already there
      --- stderr
      6 lines not imported, as they are not entries:
        audit_20260101.jsonl:2  not JSON
        audit_20260101.jsonl:3  not an entry: it has no id or timestamp, or has a type
        audit_20260101.jsonl:4  its timestamp is not a time
        audit_20260101.jsonl:5  not an entry: it has no id or timestamp, or has a type
        audit_20260101.jsonl:6  not an entry: it has no id or timestamp, or has a type
        and 1 more
      not imported: audit_20260101.jsonl:19  its writer did not finish it
      not read, without a name like audit_YYYYMMDD.jsonl: notes.jsonl
      "
    `);
    expect(
      (await cli(["list", join(root, "log"), "--json"])).stdout.trim().split("\n"),
    ).toHaveLength(11);
    expect((await cli([...words, "--accept-unreadable"])).code).toBe(0);
    const { code, stdout, stderr } = await cli([...words, "--json"]);
    expect({ code, stderr }).toEqual({ code: 65, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      imported: 0,
      skipped: 11,
      unreadable: 6,
      firstUnreadable: [2, 3, 4, 5, 6].map((line) => ({ file: "audit_20261123.jsonl", line })),
      torn: [{ file: "audit_20261123.jsonl", line: 19 }],
      otherFiles: ["notes.jsonl"],
    });
  });

  it("a last line that its writer did not finish is named, and no failure", async () => {
    const root = await temporaryDirectory();
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    await writeFile(join(root, "audit_20261123.jsonl"), original.slice(0, -40));
    expect(await printed(["import", root, join(root, "log")])).toMatchInlineSnapshot(`
      "11 entries imported, 0 were already there
      --- stderr
      not imported: audit_20260101.jsonl:12  its writer did not finish it
      "
    `);
    await writeFile(join(root, "audit_20261123.jsonl"), original.trimEnd());
    expect(await printed(["import", root, join(root, "log")], { code: 65 })).toMatchInlineSnapshot(`
      "0 entries imported, 11 were already there
      --- stderr
      1 line not imported, as they are not entries:
        audit_20260101.jsonl:12  an entry without its line feed
      "
    `);
  });

  it("entries that a reader does not get to, behind an empty first line, are not passed over in silence", async () => {
    const root = await temporaryDirectory();
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    await writeFile(join(root, "audit_20261123.jsonl"), `\n${original}`);
    expect(await printed(["import", root, join(root, "log")], { code: 65 })).toMatchInlineSnapshot(`
      "0 entries imported, 0 were already there
      --- stderr
      12 entries not imported: the first line of a file is unreadable
      "
    `);
  });

  it("a log is not imported into itself, nor any log of ours, and nothing is written", async () => {
    const root = await temporaryDirectory();
    const original = join(root, "original");
    await cp(join(ORIGINAL_LOGS, "plain"), original, { recursive: true });
    await symlink(original, join(root, "link"));
    const words = ["import", original, join(root, "link")];
    expect((await printed(words, { code: 64 })).replaceAll(root, "ROOT")).toMatchInlineSnapshot(`
      "--- stderr
      error: the source is also the target: ROOT/original
        name another one: ai-audit import SOURCE LOCATION
      "
    `);
    expect(await readdir(original)).toEqual(await readdir(join(ORIGINAL_LOGS, "plain")));

    const sample = await sharedSample();
    const other = ["import", sample.directory, join(root, "log")];
    expect(await printed(other, { sample, code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: ROOT/audit-logs holds files of ai-audit, which are already sealed: audit_20260101.jsonl
        copy them as they are, or use ai-audit export; put files of rotalabs-comply into a separate directory
      "
    `);
    await expect(stat(join(root, "log"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("content that does not have its hash is imported with an alert, and exit code 65", async () => {
    const root = await temporaryDirectory();
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    const [line = ""] = original
      .split("\n")
      .filter((text) => !text.includes('"input_content": null'));
    await writeFile(
      join(root, "audit_20261123.jsonl"),
      `${line.replace(/"input_content": "/, "$&altered ")}\n`,
    );

    const output = await printed(["import", root, join(root, "log")], { code: 65 });

    expect(output).toMatchInlineSnapshot(`
      "1 entry imported, 0 were already there
      --- stderr
      1 entry had content that does not match its hash; imported with an alert
      "
    `);
    const { stdout } = await cli(["export", join(root, "log")]);
    expect(stdout).toMatch(
      /"alerts":\[.*"ai-audit: imported input did not match its hash [0-9a-f]{64}"\]/,
    );
  });
});

function contents(text: string): unknown[] {
  return records(text).map(({ input, output }) => ({ input, output }));
}

function records(text: string): Record<string, unknown>[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
