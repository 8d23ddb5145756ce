// SQL over a log in a directory, by DuckDB. Needs the package @duckdb/node-api.
import { resolve } from "node:path";
import type { DuckDBConnection, DuckDBInstance, JS } from "@duckdb/node-api";
import { importPeer } from "../crypto/peer.ts";
import { AuditConfigError, AuditError, AuditInputError } from "../errors.ts";
import { COLUMNS, type ColumnType } from "./columns.ts";

/** One row of a result, by column. */
export type SqlRow = Readonly<Record<string, JS>>;

export interface SqlOptions {
  /**
   * Directories that hold the log: `FileStorage`'s own, or downloaded or mounted days of a bucket. `*.json` and
   * `*.jsonl` are read, at any depth.
   */
  readonly paths: string | readonly string[];
}

/** One log, queried as the view `entries`; control lines are not in it. */
export class AuditSql {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /**
   * Opens a log. Nothing is copied: each query reads the files as they are then. This is no sandbox: whoever writes the
   * statements can read what the process can.
   *
   * @throws `AUDIT_CONFIG_INVALID` when the package is missing or a path is empty
   * @example
   * using sql = await AuditSql.open({ paths: "./audit-logs" });
   * await sql.query("SELECT model, count(*) AS calls FROM entries GROUP BY model");
   */
  static async open({ paths }: SqlOptions): Promise<AuditSql> {
    const { DuckDBInstance } = await importPeer("@duckdb/node-api", async () => import("@duckdb/node-api"));
    const folders = (typeof paths === "string" ? [paths] : paths).map((path) => {
      if (path === "") throw new AuditConfigError("paths must name directories");
      return resolve(path);
    });
    if (folders.length === 0) throw new AuditConfigError("paths must name directories");
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const sql = new AuditSql(instance, connection);
    await sql.#run(`SET TimeZone = 'UTC'; ${viewOver(await readable(connection, folders))}`);
    return sql;
  }

  /**
   * Rows of one statement. `parameters` stand for `$1`, `$2` … in it.
   * @throws `AUDIT_INPUT_INVALID` for what is no SELECT, `AUDIT_READ_FAILED` when DuckDB cannot run it
   */
  async query(statement: string, parameters: readonly (string | number | boolean | null)[] = []): Promise<SqlRow[]> {
    if (!/^\s*(?:SELECT|WITH|FROM|DESCRIBE|SUMMARIZE|EXPLAIN)\b/i.test(statement)) {
      throw new AuditInputError(
        "query() takes one statement that reads: SELECT, WITH, FROM, DESCRIBE, SUMMARIZE, EXPLAIN",
      );
    }
    try {
      const reader = await this.#connection.runAndReadAll(statement, [...parameters]);
      return reader.getRowObjectsJS();
    } catch (cause) {
      throw readError(cause);
    }
  }

  /**
   * Writes the entries as Parquet files, one folder a day: `<folder>/day=YYYY-MM-DD/*.parquet`. Existing days are
   * overwritten. Resolves to the number of entries.
   */
  async exportParquet(folder: string): Promise<number> {
    const target = quoted(resolve(folder));
    await this.#run(
      `COPY (SELECT strftime(timestamp, '%Y-%m-%d') AS day, * FROM entries ORDER BY timestamp, id)
       TO ${target} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day), OVERWRITE_OR_IGNORE)`,
    );
    const [row] = await this.query("SELECT count(*)::INTEGER AS entries FROM entries");
    return Number(row?.["entries"] ?? 0);
  }

  /** Ends the connection. */
  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #run(statement: string): Promise<void> {
    try {
      await this.#connection.run(statement);
    } catch (cause) {
      throw readError(cause);
    }
  }
}

/** Globs that match something: DuckDB refuses a list in which one does not. */
async function readable(connection: DuckDBConnection, folders: readonly string[]): Promise<string[]> {
  const globs = folders.flatMap((folder) => [`${folder}/**/*.jsonl`, `${folder}/**/*.json`]);
  const found: string[] = [];
  for (const glob of globs) {
    const reader = await connection.runAndReadAll(`SELECT 1 FROM glob(${quoted(glob)}) LIMIT 1`);
    if (reader.currentRowCount > 0) found.push(glob);
  }
  return found;
}

const TYPES: Readonly<Record<ColumnType, string>> = {
  text: "VARCHAR",
  timestamp: "VARCHAR",
  boolean: "BOOLEAN",
  integer: "BIGINT",
  number: "DOUBLE",
  texts: "VARCHAR[]",
  json: "JSON",
};

/** The view. Columns are given, not guessed: a member that no line of a sample has is a column all the same. */
function viewOver(globs: readonly string[]): string {
  const struct = [...COLUMNS.map(({ name, type }) => `${name}: '${TYPES[type]}'`), "type: 'VARCHAR'"].join(", ");
  const lines =
    globs.length > 0
      ? `read_json([${globs.map(quoted).join(", ")}], columns = {${struct}}, format = 'auto',
         maximum_object_size = ${2 ** 28}, ignore_errors = false, filename = true)`
      : `(SELECT ${COLUMNS.map(({ name, type }) => `NULL::${TYPES[type]} AS ${name}`).join(", ")}, NULL AS type, NULL AS filename)`;
  // A naive timestamp is the Python original's and means UTC.
  const columns = COLUMNS.map(({ name }) => (name === "timestamp" ? `${UTC} AS timestamp` : name)).join(", ");
  return `CREATE VIEW entries AS SELECT ${columns} FROM ${lines} AS line
    WHERE type IS NULL AND id IS NOT NULL AND NOT contains(filename, '/.archive/')`;
}

const UTC = `CASE WHEN regexp_matches(line.timestamp, '(Z|[+-][0-9]{2}:?[0-9]{2})$')
  THEN line.timestamp::TIMESTAMPTZ ELSE (line.timestamp || 'Z')::TIMESTAMPTZ END`;

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function readError(cause: unknown): AuditError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AuditError("AUDIT_READ_FAILED", `DuckDB: ${reason}`, { cause });
}
