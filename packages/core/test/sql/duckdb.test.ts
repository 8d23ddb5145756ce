import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { AuditLogger } from "../../src/log/logger.ts";
import { Signer } from "../../src/seal/signer.ts";
import { readerLimitsHere } from "../../src/sql/reader-limits.ts";
import { AuditSql, type SqlOptions } from "../../src/sql/index.ts";
import { FileStorage } from "../../src/storage/file/file.ts";
import { testEntry } from "../../src/testing.ts";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

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
  await logger.callSink.started({ model: "gpt-5" });
  await logger.close();
  return ids;
}

async function opened(options: SqlOptions): Promise<AuditSql> {
  const sql = await AuditSql.open(options);
  onTestFinished(async () => sql.close());
  return sql;
}

describe("AuditSql", () => {
  it("tells how far a statement is, and locks its settings all the same", async () => {
    const path = await temporaryDirectory();
    await logged(path);
    const shares: number[] = [];
    const sql = await opened({ paths: path, onProgress: (share) => shares.push(share) });
    const slow =
      "SELECT count(*)::INTEGER AS n FROM range(3000) AS a, range(1000000) AS b WHERE (a.range * b.range) % 7 = 1";
    const counting = sql.query(slow);
    while (shares.length < 3) await delay(10);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
    await Promise.allSettled([counting, sql.close()]);
  });

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
      await sql.query(
        "SELECT model, max(latency_ms) AS slowest FROM entries WHERE model = $1 GROUP BY model",
        ["gpt-5"],
      ),
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
        {
          id: "6790d599-2aea-4eef-8fd2-0688895b5eb3",
          timestamp: "2026-11-23T12:00:00.115437",
          input_hash: "x",
        },
        undefined,
        2,
      ),
    );
    const sql = await opened({ paths: [path] });
    expect(await sql.query("SELECT count(*)::INTEGER AS entries FROM entries")).toEqual([
      { entries: 4 },
    ]);
    const [row] = await sql.query(
      "SELECT epoch_ms(timestamp) AS time FROM entries WHERE starts_with(id, '6790')",
    );
    expect(Number(row?.["time"])).toBe(time + 115);
  });

  it("reads lines beyond DuckDB's own limit of 16 MiB, with no more threads than the memory bears", async () => {
    const path = await temporaryDirectory();
    const { id, line } = testEntry(0);
    const long = JSON.stringify({ ...JSON.parse(line), input_content: "x".repeat(17 * 2 ** 20) });
    await writeFile(join(path, "audit_20261130.jsonl"), `${long}\n`);
    const sql = await opened({ paths: path });
    expect(
      await sql.query("SELECT id, length(input_content)::INTEGER AS length FROM entries"),
    ).toEqual([{ id, length: 17 * 2 ** 20 }]);
    const { threads } = readerLimitsHere();
    expect(await sql.query("SELECT current_setting('threads')::INTEGER AS threads")).toEqual([
      { threads },
    ]);
  });

  it("has no rows where there is no log yet", async () => {
    const sql = await opened({ paths: await temporaryDirectory() });
    expect(await sql.query("SELECT * FROM entries")).toEqual([]);
  });

  it.each([
    "DROP VIEW entries",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW entries",
    "COPY (SELECT 1) TO 'out.csv'",
    "ATTACH 'other.db'",
    "INSTALL httpfs",
    "PREPARE more AS SELECT 1",
    "EXPLAIN ANALYZE CREATE TABLE more AS SELECT 1",
    "/* SELECT */ SET VARIABLE a = 1",
    "PRAGMA force_checkpoint",
    "CALL duckdb_settings()",
    "BEGIN",
    "-- nothing",
    "",
    ";",
  ])("takes one statement that reads, not %j", async (statement) => {
    const sql = await opened({ paths: await temporaryDirectory() });
    expect(await rejected(sql.query(statement))).toMatchObject({ code: "AUDIT_INPUT_INVALID" });
    expect(await sql.query("SELECT view_name FROM duckdb_views() WHERE NOT internal")).toEqual([
      { view_name: "entries" },
    ]);
    expect(await sql.query("SELECT table_name FROM duckdb_tables()")).toEqual([]);
  });

  it.each([
    "EXPLAIN (/* ) SELECT 1 -- */ ANALYZE) CREATE TABLE more AS SELECT 1",
    "WITH more AS (SELECT 1) INSERT INTO entries FROM more",
    "SELECT 1; IMPORT DATABASE '.'",
  ])("changes nothing by %j either", async (statement) => {
    const sql = await opened({ paths: await temporaryDirectory() });
    expect(await rejected(sql.query(statement))).toMatchObject({ code: "AUDIT_READ_FAILED" });
    expect(await sql.query("SELECT table_name FROM duckdb_tables()")).toEqual([]);
  });

  it.each([
    "SELECT 1 AS one;",
    "(SELECT 1 AS one)",
    "-- one\n/* and * one */ SELECT 1 AS one -- more",
    "WITH more AS (SELECT 1 AS one) FROM more",
    "FROM (VALUES (1)) AS more(one)",
  ])("runs %j", async (statement) => {
    const sql = await opened({ paths: await temporaryDirectory() });
    expect(await sql.query(statement)).toEqual([{ one: 1 }]);
  });

  it.each([
    "EXPLAIN FROM entries",
    "EXPLAIN ANALYZE SELECT id FROM entries",
    "EXPLAIN (ANALYZE, FORMAT json) FROM entries",
    "EXPLAIN (SELECT 1)",
  ])("explains: %s", async (statement) => {
    const sql = await opened({ paths: await temporaryDirectory() });
    expect(await sql.query(statement)).toMatchObject([
      { explain_key: expect.stringContaining("_plan") },
    ]);
  });

  it("writes no file for a statement, not even beside the log", async () => {
    const path = await temporaryDirectory();
    const sql = await opened({ paths: path, readable: "/" });
    const writing = `COPY (SELECT 1) TO '${join(path, "out.csv")}'`;
    for (const statement of [
      writing,
      `EXPLAIN ANALYZE ${writing}`,
      `EXPLAIN (ANALYZE) ${writing}`,
    ]) {
      expect(await rejected(sql.query(statement))).toMatchObject({ code: "AUDIT_INPUT_INVALID" });
    }
    expect(await readdir(path)).toEqual([]);
  });

  it("reads the log's files and those it is given, no others, by no link either", async () => {
    const [path, prices, secret] = [
      await temporaryDirectory(),
      await temporaryDirectory(),
      await temporaryDirectory(),
    ];
    await logged(path);
    await writeFile(join(prices, "prices.csv"), "model,price\ngpt-5,2\n");
    await writeFile(join(secret, "secret.csv"), "a\n1\n");
    await symlink(secret, join(path, "link"));
    const sql = await opened({ paths: path, readable: prices });
    expect(
      await sql.query(
        `SELECT sum(price)::INTEGER AS sum FROM entries JOIN '${join(prices, "prices.csv")}' USING (model)`,
      ),
    ).toEqual([{ sum: 4 }]);
    for (const file of [
      join(secret, "secret.csv"),
      join(path, "link", "secret.csv"),
      "https://localhost/secret.csv",
    ]) {
      expect(await rejected(sql.query(`SELECT * FROM read_csv('${file}')`))).toMatchObject({
        code: "AUDIT_READ_FAILED",
        message: expect.stringContaining("DuckDB: Permission Error"),
      });
    }
  });

  it("takes a directory's name as it is, patterns and quotes in it too", async () => {
    const path = join(await temporaryDirectory(), "it's [1]*?");
    const ids = await logged(path);
    const sql = await opened({ paths: path });
    expect((await sql.query("SELECT id FROM entries ORDER BY id")).map(({ id }) => id)).toEqual(
      ids.toSorted(),
    );
  });

  it("streams rows as they are computed, several statements at a time", async () => {
    const sql = await opened({ paths: await temporaryDirectory() });
    // As many rows never end: what is waited for here comes before the last.
    const endless = sql.stream("SELECT range AS at FROM range($1::BIGINT)", [1e15]);
    const seen: unknown[] = [];
    const others: unknown[] = [];
    for await (const { at } of endless) {
      seen.push(at);
      if (seen.length === 3000) others.push(...(await sql.query("SELECT 1 AS one")));
      if (seen.length === 5000) break;
    }
    expect(others).toEqual([{ one: 1 }]);
    expect(seen.slice(2046, 2050)).toEqual([2046n, 2047n, 2048n, 2049n]);
    expect(await endless.next()).toEqual({ done: true, value: undefined });
  });

  it("keeps to the memory that it is given: what is sorted goes to disk, and one thread reads", async () => {
    const paths = await temporaryDirectory();
    for (const memoryBytes of [100 * 2 ** 20 - 1, 2 ** 27 + 0.5, Number.NaN]) {
      expect(await rejected(AuditSql.open({ paths, memoryBytes }))).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message: "memoryBytes must be a whole number of bytes, 100 MiB at least",
      });
    }
    const sql = await opened({ paths, memoryBytes: 100 * 2 ** 20 });
    expect(
      await sql.query(
        "SELECT current_setting('memory_limit') AS memory, current_setting('threads') AS threads",
      ),
    ).toEqual([{ memory: "100.0 MiB", threads: 1n }]);
    const sorted = "SELECT row_number() OVER (ORDER BY hash(range)) AS place FROM range(8000000)"; // 128 MB of pairs
    expect(await sql.query(`SELECT max(place) AS last FROM (${sorted})`)).toEqual([
      { last: 8_000_000n },
    ]);
  });

  it("hands over bytes and texts that stay what they are when DuckDB has released the rows", async () => {
    const sql = await opened({ paths: await temporaryDirectory() });
    const rows = await sql.query(
      "SELECT repeat(chr(65 + (range % 26)::INT), 100)::BLOB AS bytes FROM range(5000)",
    );
    expect(rows).toHaveLength(5000);
    for (const [at, { bytes }] of rows.entries()) {
      if (!(bytes instanceof Uint8Array)) throw new Error("no bytes");
      expect(Buffer.from(bytes).toString()).toBe(String.fromCodePoint(65 + (at % 26)).repeat(100));
    }
  });

  it("ends what runs when it is closed, and says so then and later", async () => {
    const sql = await AuditSql.open({ paths: await temporaryDirectory() });
    const counting = rejected(
      sql.query("SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 7"),
    );
    const rows = sql.stream("SELECT range AS at FROM range(1000000000000)");
    expect(await rows.next()).toEqual({ done: false, value: { at: 0n } });
    await delay(100);
    await Promise.all([sql.close(), sql.close()]);
    const closed = { code: "AUDIT_CLOSED", message: "AuditSql is closed" };
    expect(await counting).toMatchObject(closed);
    expect(
      await rejected(async () => {
        for await (const _ of rows);
      }),
    ).toMatchObject(closed);
    expect(await rejected(sql.query("SELECT 1"))).toMatchObject(closed);
    expect(await rejected(sql.exportParquet(await temporaryDirectory()))).toMatchObject(closed);
  });

  it("can be closed at the moment at which a statement begins", async () => {
    for (const waitMs of [0, 1, 2, 4, 8]) {
      const sql = await AuditSql.open({ paths: await temporaryDirectory() });
      const counting = rejected(
        sql.query("SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 7"),
      );
      await delay(waitMs);
      await sql.close();
      expect(await counting).toMatchObject({ code: "AUDIT_CLOSED" });
    }
  });

  it("refuses what does not read, and says what DuckDB says", async () => {
    const sql = await opened({ paths: await temporaryDirectory() });
    expect(await rejected(sql.query("DROP VIEW entries"))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message:
        "SQL over the log takes statements that read: SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW, EXPLAIN",
    });
    expect(await rejected(sql.query("SELECT 1; SELECT 2"))).toMatchObject({
      message: "one statement at a time, not 2",
    });
    expect(await rejected(sql.query("SELECT nothing FROM entries"))).toMatchObject({
      code: "AUDIT_READ_FAILED",
      message: expect.stringContaining("DuckDB: Binder Error"),
    });
    expect(await rejected(AuditSql.open({ paths: [] }))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
    });
  });
});
