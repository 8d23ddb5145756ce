// The view `entries` over the files of a log.
import type { DuckDBConnection } from "@duckdb/node-api";
import { readerLimitsHere } from "./reader-limits.ts";
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
 * Makes the view, for all connections of the same instance, with times in UTC. `folders` are absolute; `memoryBytes` is
 * what the instance may take.
 */
export async function createView(
  connection: DuckDBConnection,
  folders: readonly string[],
  memoryBytes: number | undefined,
): Promise<void> {
  const { threads, lineBytes } = readerLimitsHere(memoryBytes);
  const globs = await readable(connection, folders);
  await connection.run(
    `SET threads = ${threads}; SET GLOBAL TimeZone = 'UTC'; ${viewOver(globs, lineBytes)}`,
  );
}

/** Globs that match something: DuckDB refuses a list in which one does not. */
async function readable(
  connection: DuckDBConnection,
  folders: readonly string[],
): Promise<string[]> {
  const names = folders.map(plainGlob);
  const found: string[] = [];
  for (const glob of names.flatMap((name) => [`${name}/**/*.jsonl`, `${name}/**/*.json`])) {
    const reader = await connection.runAndReadAll(`SELECT 1 FROM glob(${quoted(glob)}) LIMIT 1`);
    if (reader.currentRowCount > 0) found.push(glob);
  }
  return found;
}

/** Columns are given, not guessed: a member that no line of a sample has is a column all the same. */
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
  return `CREATE VIEW entries AS SELECT ${columns} FROM ${lines} AS line
    WHERE type IS NULL AND id IS NOT NULL AND NOT contains(filename, '/.archive/')`;
}

/** A pattern that means this path alone, whatever stands in its name. */
export function plainGlob(path: string): string {
  return path.replaceAll(/[*?[\]]/g, "[$&]");
}

/** A text as SQL has it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
