import { readdir, writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { AuditLogger } from "../../src/logger.ts";
import { Signer } from "../../src/integrity/signer.ts";
import { AuditSql, type SqlOptions } from "../../src/sql.ts";
import { FileStorage } from "../../src/storage/file.ts";
import { testEntry } from "../../src/testing.ts";
import { rejected } from "../rejected.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

async function logged(path: string): Promise<string[]> {
  const logger = new AuditLogger(new FileStorage({ path, signer: await Signer.generate("test") }));
  const ids: string[] = [];
  for (const [model, latencyMs] of [
    ["gpt-5", 100],
    ["gpt-5", 300],
    ["claude", 50],
  ] as const) {
    ids.push(
      await logger.log({
        input: `it's "quoted"\n\u2028{"type":"checkpoint"}`,
        output: { answer: [1, 2] },
        model,
        latencyMs,
        alerts: ["one", "two"],
        metadata: { team: "a" },
        usage: { source: "reported" },
      }),
    );
  }
  await logger.started({ model: "gpt-5" });
  await logger.close();
  return ids;
}

async function opened(options: SqlOptions): Promise<AuditSql> {
  const sql = await AuditSql.open(options);
  onTestFinished(() => sql.close());
  return sql;
}

describe("AuditSql", () => {
  it("sees the entries of a directory, and no control line", async () => {
    const path = await temporaryDirectory();
    const ids = await logged(path);
    const sql = await opened({ paths: path });
    const rows = await sql.query(
      "SELECT id, model, latency_ms, alerts, metadata->>'$.team' AS team FROM entries ORDER BY id",
    );
    expect(rows).toEqual(
      ids.toSorted().map((id, at) => ({
        id,
        model: at < 2 ? "gpt-5" : "claude",
        latency_ms: [100, 300, 50][at],
        alerts: ["one", "two"],
        team: "a",
      })),
    );
    expect(
      await sql.query("SELECT model, max(latency_ms) AS slowest FROM entries WHERE model = $1 GROUP BY model", [
        "gpt-5",
      ]),
    ).toEqual([{ model: "gpt-5", slowest: 300 }]);
  });

  it("reads days of a bucket as they were downloaded: single objects, commits, shipped segments, the original's", async () => {
    const path = await temporaryDirectory();
    const time = Date.parse("2026-11-23T12:00:00Z");
    const [single, first, second] = [testEntry(time), testEntry(time), testEntry(time)];
    await mkdir(join(path, "2026-11-23", "stream"), { recursive: true });
    await writeFile(join(path, "2026-11-23", `${single.id}.json`), single.line);
    await writeFile(
      join(path, "2026-11-23", `${first.id}.jsonl`),
      `{"type":"loss","entries":1}\n${first.line}\n${second.line}\n`,
    );
    await writeFile(
      join(path, "2026-11-23", "stream", "control_0_4.jsonl"),
      '{"type":"segment.close","reason":"close"}\n',
    );
    await writeFile(
      join(path, "2026-11-23", "6790d599-2aea-4eef-8fd2-0688895b5eb3.json"),
      JSON.stringify(
        { id: "6790d599-2aea-4eef-8fd2-0688895b5eb3", timestamp: "2026-11-23T12:00:00.115437", input_hash: "x" },
        undefined,
        2,
      ),
    );
    const sql = await opened({ paths: [path] });
    expect(await sql.query("SELECT count(*)::INTEGER AS entries FROM entries")).toEqual([{ entries: 4 }]);
    const [row] = await sql.query("SELECT epoch_ms(timestamp) AS time FROM entries WHERE starts_with(id, '6790')");
    expect(Number(row?.["time"])).toBe(time + 115);
  });

  it("writes Parquet, one folder a day, that holds what the log holds", async () => {
    const path = await temporaryDirectory();
    const storage = new FileStorage({ path });
    const times = ["2024-02-29T23:59:59.999Z", "2024-03-01T00:00:00.000Z", "2026-12-31T12:00:00.000Z"];
    for (const time of times) {
      const { id, line } = testEntry(Date.parse(time));
      await storage.append(line, id);
    }
    await storage.close();
    const folder = join(await temporaryDirectory(), "parquet");
    const sql = await opened({ paths: path, readable: folder });
    expect(await sql.exportParquet(folder)).toBe(3);
    expect((await readdir(folder)).toSorted()).toEqual(["day=2024-02-29", "day=2024-03-01", "day=2026-12-31"]);
    const rows = await sql.query(
      `SELECT day::VARCHAR AS day, epoch_ms(timestamp) AS time FROM read_parquet('${folder}/*/*.parquet') ORDER BY time`,
    );
    expect(rows.map(({ time }) => new Date(Number(time)).toISOString())).toEqual(times);
  });

  it("has no rows where there is no log yet", async () => {
    const sql = await opened({ paths: await temporaryDirectory() });
    expect(await sql.query("SELECT * FROM entries")).toEqual([]);
  });

  it.each([
    "DROP VIEW entries",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW entries",
    "SELECT 1; IMPORT DATABASE '.'",
    "EXPLAIN ANALYZE CREATE TABLE more AS SELECT 1",
    "EXPLAIN (/* ) SELECT 1 -- */ ANALYZE) CREATE TABLE more AS SELECT 1",
    "/* SELECT */ SET VARIABLE a = 1",
    "PRAGMA force_checkpoint",
    "CALL duckdb_settings()",
    "BEGIN",
    "WITH more AS (SELECT 1) INSERT INTO entries FROM more",
    "-- nothing",
    "",
    ";",
  ])("takes one statement that reads, not %j", async (statement) => {
    const sql = await opened({ paths: await temporaryDirectory() });
    expect(await rejected(sql.query(statement))).toMatchObject({
      code: expect.stringMatching(/^AUDIT_(?:INPUT_INVALID|READ_FAILED)$/),
    });
    expect(await sql.query("SELECT view_name FROM duckdb_views() WHERE NOT internal")).toEqual([
      { view_name: "entries" },
    ]);
    expect(await sql.query("SELECT table_name FROM duckdb_tables()")).toEqual([]);
  });

  it("refuses what does not read, and says what DuckDB says", async () => {
    const sql = await opened({ paths: await temporaryDirectory() });
    expect(await rejected(sql.query("DROP VIEW entries"))).toMatchObject({ code: "AUDIT_INPUT_INVALID" });
    expect(await rejected(sql.query("SELECT nothing FROM entries"))).toMatchObject({
      code: "AUDIT_READ_FAILED",
      message: expect.stringContaining("DuckDB: Binder Error"),
    });
    expect(await rejected(AuditSql.open({ paths: [] }))).toMatchObject({ code: "AUDIT_CONFIG_INVALID" });
  });
});
