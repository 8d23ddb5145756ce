import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { entryToLine, lineToEntry } from "../../src/format/entry-line.ts";
import { athenaDdl, clickhouseDdl, COLUMNS } from "../../src/sql/index.ts";
import { testEntry } from "../../src/testing.ts";
import { rejected } from "@ai-audit/test-support/caught";

const location = "s3://bucket/audit";

describe("Columns", () => {
  it("are the members of an entry's line, in their order", () => {
    const names = COLUMNS.map(({ name }) => name);
    const samples = {
      text: "json",
      timestamp: "Z",
      boolean: true,
      integer: 1,
      number: 1,
      texts: [],
      json: { type: "x" },
    };
    const every = {
      ...Object.fromEntries(COLUMNS.map(({ name, type }) => [name, samples[type]]).toReversed()),
      outcome: "ok",
      trace: { trace_id: "x" },
    };
    const entry = lineToEntry(JSON.stringify(every));
    expect(Object.keys(JSON.parse(entryToLine(entry ?? {})))).toEqual(names);
    expect(names.slice(0, 17)).toEqual(Object.keys(JSON.parse(testEntry(0).line)));
  });
});

describe("athenaDdl()", () => {
  it("makes a table over the days of the bucket and a view without control lines", () => {
    const ddl = athenaDdl({ location, firstDay: "2026-11-01" });
    expect(ddl).toContain(
      "CREATE EXTERNAL TABLE IF NOT EXISTS audit_entries_lines (\n  `id` string,\n  `timestamp` string,",
    );
    expect(ddl).toContain("  `detectors_triggered` array<string>,");
    expect(ddl).toContain("LOCATION 's3://bucket/audit/'");
    expect(ddl).toContain("'projection.day.range' = '2026-11-01,NOW'");
    expect(ddl).toContain("'storage.location.template' = 's3://bucket/audit/${day}/'");
    expect(ddl).toMatch(
      /CREATE OR REPLACE VIEW audit_entries AS\nSELECT .*\nFROM audit_entries_lines\nWHERE type IS NULL AND id IS NOT NULL;\n$/,
    );
  });
});

describe("The view of athenaDdl()", () => {
  // DuckDB stands in for Trino: it runs the very text, with the two functions that it calls
  // otherwise.
  it.each([
    ["2026-11-23T12:00:00.115437", "2026-11-23T12:00:00.115Z"], // the Python original's
    ["2026-11-23T12:00:00.115Z", "2026-11-23T12:00:00.115Z"],
    ["2026-11-23T12:00:00+00:00", "2026-11-23T12:00:00.000Z"],
    ["2026-11-23T12:00:00.5+05:30", "2026-11-23T06:30:00.500Z"],
    ["2026-11-23T23:30:00-0800", "2026-11-24T07:30:00.000Z"],
    ["2026-11-23T12:00:00", "2026-11-23T12:00:00.000Z"],
  ])("takes %s for %s", async (written, meant) => {
    const view = athenaDdl({ location }).split("\n\n").at(-1) ?? "";
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run(`SET TimeZone = 'America/New_York';
      CREATE MACRO regexp_like(text, pattern) AS regexp_matches(text, pattern);
      CREATE MACRO from_iso8601_timestamp(text) AS text::TIMESTAMPTZ;
      CREATE TABLE audit_entries_lines (id VARCHAR, "timestamp" VARCHAR, type VARCHAR);
      INSERT INTO audit_entries_lines VALUES ('a', '${written}', NULL), (NULL, '${written}', 'checkpoint');
      ${view}`);
    const reader = await connection.runAndReadAll("SELECT recorded FROM audit_entries");
    expect(reader.getRowsJS()).toEqual([[new Date(meant)]]);
    connection.closeSync();
  });

  it("leaves a timestamp with an offset as it is, by a pattern", () => {
    expect(athenaDdl({ location })).toContain(
      `SELECT from_iso8601_timestamp(if(regexp_like("timestamp", '(Z|[+-][0-9]{2}:?[0-9]{2})$'), "timestamp", "timestamp" || 'Z')) AS recorded, *`,
    );
  });
});

describe("clickhouseDdl()", () => {
  it("makes a table over the objects and a view without control lines", () => {
    const ddl = clickhouseDdl({ location, table: "calls" });
    expect(ddl).toContain("CREATE TABLE IF NOT EXISTS calls_lines (\n  `id` Nullable(String),");
    expect(ddl).toContain(
      "ENGINE = S3('https://bucket.s3.amazonaws.com/audit/**.{json,jsonl}', 'JSONEachRow')",
    );
    expect(ddl).toMatch(/FROM calls_lines\nWHERE type IS NULL AND id IS NOT NULL;\n$/);
  });
});

it.each([
  [{ location, table: "a; DROP TABLE b" }, "table must be a lower-case SQL name"],
  [{ location, firstDay: "yesterday" }, "firstDay must look like"],
  [{ location: "s3://bucket/it's" }, "prefix must not hold quotes"],
  [{ location: "/tmp" }, "bucket must name a bucket"],
])("DDL is refused for %o", async (options, message) => {
  for (const make of [athenaDdl, clickhouseDdl]) {
    expect(await rejected(() => make(options))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: expect.stringContaining(message),
    });
  }
});
