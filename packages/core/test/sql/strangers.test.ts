import { cp, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { AuditLogger } from "../../src/index.ts";
import { AuditSql } from "../../src/sql/index.ts";

const FORGED = `${JSON.stringify({ id: "forged", timestamp: "2026-11-30T00:00:00.000Z", model: "none" })}\n`;

async function logOf(path: string, entries: number): Promise<string> {
  await using logger = new AuditLogger(path);
  for (let n = 0; n < entries; n += 1) await logger.log({ input: "a", output: "b" });
  const [file = ""] = await readdir(path);
  return file;
}

describe("SQL beside strangers", () => {
  it("reads the log and nothing else: as many entries as count(), in statements and exports", async () => {
    const path = await temporaryDirectory();
    const file = await logOf(path, 3);
    const own = join(path, file);
    await logOf(join(path, "other-app"), 2);
    await cp(own, join(path, "demo-tampered.jsonl"));
    await cp(own, join(path, `${file}.bak`));
    await cp(own, join(path, "audit_2026.jsonl"));
    await cp(own, join(path, "audit_20260101_0001.jsonl"));
    await symlink(own, join(path, "audit_20260102.jsonl"));
    await mkdir(join(path, "audit_20260103.jsonl"));
    await mkdir(join(path, ".archive"));
    await mkdir(join(path, "day=2026-11-30"));
    for (const name of ["notes.json", "notes.jsonl", ".archive/a.jsonl", "day=2026-11-30/b.json"])
      await writeFile(join(path, name), FORGED);
    const logger = new AuditLogger(path);
    await using sql = await AuditSql.open({ paths: path });
    const rows = await sql.query("SELECT count(*)::INTEGER AS n FROM entries");
    expect(rows).toEqual([{ n: await logger.count() }]);
    expect(rows).toEqual([{ n: 3 }]);
    expect(await sql.exportParquet(await temporaryDirectory())).toBe(3);
  });

  it("reads the days of a bucket by their names", async () => {
    const path = await temporaryDirectory();
    const file = await logOf(join(path, "local"), 2);
    const day = join(path, "2026-11-30");
    await mkdir(join(day, "stream"), { recursive: true });
    await cp(join(path, "local", file), join(day, "stream", file));
    for (const name of ["2026-11-30/notes.jsonl", "notes.json", "2026-11-30/stream/notes.jsonl"])
      await writeFile(join(path, name), FORGED);
    for (const paths of [path, day]) {
      await using sql = await AuditSql.open({ paths });
      const rows = await sql.query("SELECT count(*)::INTEGER AS n FROM entries");
      expect(rows).toEqual([{ n: 2 }]);
    }
  });

  it("sees files that were made after it was opened", async () => {
    const path = await temporaryDirectory();
    await using sql = await AuditSql.open({ paths: path });
    expect(await sql.query("SELECT count(*)::INTEGER AS n FROM entries")).toEqual([{ n: 0 }]);
    await logOf(path, 1);
    expect(await sql.query("SELECT count(*)::INTEGER AS n FROM entries")).toEqual([{ n: 1 }]);
  });
});
