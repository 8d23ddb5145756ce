// The view `entries` over the files of a log.
import type { DuckDBConnection } from "@duckdb/node-api";
import { readerLimitsHere } from "./reader-limits.ts";
import { LOG_FILE, logFilesIn } from "./log-files.ts";
import { COLUMNS, type ColumnType, ZONED } from "./columns.ts";

const TYPES: Readonly<Record<ColumnType, string>> = {
  text: "VARCHAR",
  timestamp: "VARCHAR",
  boolean: "BOOLEAN",
  integer: "BIGINT",
  number: "DOUBLE",
  texts: "VARCHAR[]",
  json: "JSON",
};

const UTC = `CASE WHEN regexp_matches(line.timestamp, '${ZONED}')
  THEN line.timestamp::TIMESTAMPTZ ELSE (line.timestamp || 'Z')::TIMESTAMPTZ END`;

/**
 * Threads and time zone of an instance. `memoryBytes` is its memory limit; the view's lines are
 * bounded by it.
 */
export async function setUp(
  connection: DuckDBConnection,
  memoryBytes: number | undefined,
): Promise<void> {
  const { threads } = readerLimitsHere(memoryBytes);
  await connection.run(`SET threads = ${threads}; SET GLOBAL TimeZone = 'UTC'`);
}

/**
 * Makes the view over the log's files as they are now, for all connections of the same instance,
 * with times in UTC. `folders` are absolute.
 */
export async function makeView(
  connection: DuckDBConnection,
  folders: readonly string[],
  memoryBytes: number | undefined,
): Promise<void> {
  const { lineBytes } = readerLimitsHere(memoryBytes);
  const files = (await Promise.all(folders.map(logFilesIn))).flat();
  await connection.run(viewOver(await readable(connection, files), lineBytes));
}

/** Patterns that match a file: DuckDB refuses a list with one that matches none. */
async function readable(
  connection: DuckDBConnection,
  patterns: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const pattern of patterns) {
    if (!/[*]/.test(pattern.replaceAll("[*]", ""))) {
      found.push(pattern); // a file by its name
      continue;
    }
    const reader = await connection.runAndReadAll(`SELECT 1 FROM glob(${quoted(pattern)}) LIMIT 1`);
    if (reader.currentRowCount > 0) found.push(pattern);
  }
  return found;
}

/** Columns are given, not guessed: a member that no line of a sample has is a column anyway. */
function viewOver(globs: readonly string[], lineBytes: number): string {
  const struct = [
    ...COLUMNS.map(({ name, type }) => `${name}: '${TYPES[type]}'`),
    "type: 'VARCHAR'",
  ].join(", ");
  const lines =
    globs.length > 0
      ? `read_json([${globs.map(quoted).join(", ")}], columns = {${struct}}, format = 'auto',
         maximum_object_size = ${lineBytes}, ignore_errors = false, filename = true)`
      : `(SELECT ${COLUMNS.map(({ name, type }) => `NULL::${TYPES[type]} AS ${name}`).join(", ")}, NULL AS type, NULL AS filename)`;
  const columns = COLUMNS.map(({ name }) =>
    name === "timestamp" ? `${UTC} AS timestamp` : name,
  ).join(", ");
  return `CREATE OR REPLACE TEMP VIEW entries AS SELECT ${columns} FROM ${lines} AS line
    WHERE type IS NULL AND id IS NOT NULL AND regexp_full_match(filename, '.*(${LOG_FILE})')`;
}

/** A string literal of SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
