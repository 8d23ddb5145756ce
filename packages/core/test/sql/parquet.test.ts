import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { AuditSql } from "../../src/sql/index.ts";
import { testEntry } from "../../src/testing.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const TIMES = ["2024-02-29T23:59:59.999Z", "2024-03-01T00:00:00.000Z", "2026-12-31T12:00:00.000Z"];

/** A directory with one file a time. */
async function logOf(times: readonly string[]): Promise<string> {
  const path = await temporaryDirectory();
  for (const time of times)
    await writeFile(
      join(path, `audit_${time.slice(0, 10).replaceAll("-", "")}.jsonl`),
      `${testEntry(Date.parse(time)).line}\n`,
    );
  return path;
}

async function opened(paths: string, readable: string): Promise<AuditSql> {
  const sql = await AuditSql.open({ paths, readable });
  onTestFinished(async () => sql.close());
  return sql;
}

async function timesIn(sql: AuditSql, folder: string): Promise<string[]> {
  const rows = await sql.query(
    `SELECT day::VARCHAR AS day, epoch_ms(timestamp) AS time FROM read_parquet('${folder}/*/ai-audit_*.parquet') ORDER BY time`,
  );
  return rows.map(({ day, time }) => {
    const text = new Date(Number(time)).toISOString();
    expect(text.slice(0, 10)).toBe(day);
    return text;
  });
}

describe("exportParquet()", () => {
  it("writes one folder a day, that holds what the log holds", async () => {
    const folder = join(await temporaryDirectory(), "it's", "parquet");
    const sql = await opened(await logOf(TIMES), folder);
    expect(await sql.exportParquet(folder)).toBe(3);
    expect((await readdir(folder)).toSorted()).toEqual([
      "day=2024-02-29",
      "day=2024-03-01",
      "day=2026-12-31",
    ]);
    expect(await readdir(join(folder, "day=2024-02-29"))).toEqual(["ai-audit_0.parquet"]);
    const quoted = folder.replaceAll("'", "''");
    expect(await timesIn(sql, quoted)).toEqual(TIMES);
  });

  it("keeps no day that the log no longer has, and no part of a day that is fewer files now", async () => {
    const path = await logOf(TIMES);
    const folder = await temporaryDirectory();
    const sql = await opened(path, folder);
    await sql.exportParquet(folder);
    await writeFile(
      join(folder, "day=2026-12-31", "ai-audit_7.parquet"),
      "of an export with more threads",
    );
    await rm(join(path, "audit_20240229.jsonl"));
    expect(await sql.exportParquet(folder)).toBe(2);
    expect((await readdir(folder)).toSorted()).toEqual(["day=2024-03-01", "day=2026-12-31"]);
    expect(await timesIn(sql, folder)).toEqual(TIMES.slice(1));
    await rm(join(path, "audit_20240301.jsonl"));
    await rm(join(path, "audit_20261231.jsonl"));
    const emptied = await opened(path, folder);
    expect(await emptied.exportParquet(folder)).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });

  it("touches nothing that others put there", async () => {
    const path = await logOf(TIMES);
    const folder = await temporaryDirectory();
    const foreign = [
      "notes.txt",
      "day=2020-01-01/data_0.parquet",
      "day=2024-02-29/ours.parquet",
      "other/ai-audit_0.parquet",
    ];
    for (const file of foreign) {
      await mkdir(join(folder, file, ".."), { recursive: true });
      await writeFile(join(folder, file), file);
    }
    const sql = await opened(path, folder);
    await sql.exportParquet(folder);
    await rm(join(path, "audit_20240229.jsonl"));
    await sql.exportParquet(folder);
    const left = await readdir(folder, { recursive: true });
    expect(left).toEqual(expect.arrayContaining(foreign));
    expect(left).not.toContain("day=2024-02-29/ai-audit_0.parquet");
  });

  it("sorts each day through its files, in little memory, however the log has the entries and whenever they cluster", async () => {
    const path = await temporaryDirectory();
    const folder = await temporaryDirectory();
    const noon = Date.parse("2026-03-05T12:00:00.000Z");
    // A third within the same second; the order is a permutation of all: 7919 is prime.
    const times = Array.from({ length: 12_000 }, (_, at) => {
      const place = (at * 7919) % 12_000;
      return place < 4000 ? noon + (place % 1000) : noon - 43_200_000 + place * 10_000;
    });
    const entries = times.map((time) =>
      testEntry(time, { input_content: randomBytes(3000).toString("hex") }),
    );
    await writeFile(
      join(path, "audit_20240101.jsonl"),
      entries.map(({ line }) => `${line}\n`).join(""),
    );
    await using sql = await AuditSql.open({
      paths: path,
      readable: folder,
      memoryBytes: 160 * 2 ** 20,
    });
    expect(await sql.exportParquet(folder)).toBe(12_000);
    expect((await readdir(join(folder, "day=2026-03-05"))).length).toBeGreaterThan(4);
    const seen: unknown[] = [];
    for (const day of (await readdir(folder)).toSorted()) {
      const files = await readdir(join(folder, day));
      for (let at = 0; at < files.length; at += 1) {
        const rows = await sql.query(
          `SELECT epoch_ms(timestamp) || ' ' || id AS entry FROM read_parquet('${join(folder, day, `ai-audit_${at}.parquet`)}')`,
        );
        for (const { entry } of rows) seen.push(entry);
      }
    }
    expect(seen).toEqual(entries.map(({ id }, at) => `${times[at]} ${id}`).toSorted());
  });

  it("leaves what was there when the log cannot be read, and nothing half-written", async () => {
    const path = await logOf(TIMES);
    const folder = await temporaryDirectory();
    const sql = await opened(path, folder);
    await sql.exportParquet(folder);
    await mkdir(join(folder, ".ai-audit-export", "day=2020-01-01"), { recursive: true }); // of one that was killed
    await rm(join(path, "audit_20240229.jsonl"));
    await writeFile(join(path, "audit_20240228.jsonl"), "{ no line\n");
    expect(await rejected(sql.exportParquet(folder))).toMatchObject({
      code: "AUDIT_READ_FAILED",
      message: expect.stringContaining("audit_20240228.jsonl"),
    });
    expect((await readdir(folder)).toSorted()).toEqual([
      "day=2024-02-29",
      "day=2024-03-01",
      "day=2026-12-31",
    ]);
    expect(await timesIn(sql, folder)).toEqual(TIMES);
  });

  it("says what the folder refuses, and ends when it is closed", async () => {
    const path = await logOf(TIMES);
    const sql = await opened(path, path);
    expect(await rejected(sql.exportParquet(join(path, "audit_20240229.jsonl")))).toMatchObject({
      code: "AUDIT_WRITE_FAILED",
      message: expect.stringContaining("the Parquet files were not written: ENOTDIR"),
    });
    const exporting = rejected(sql.exportParquet(await temporaryDirectory()));
    await sql.close();
    expect(await exporting).toMatchObject({ code: "AUDIT_CLOSED" });
  });
});
