// SQL over a log in a directory, by DuckDB. Needs the package @duckdb/node-api.
import { join, resolve } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { AuditConfigError, AuditError, AuditInputError } from "../errors.ts";
import type { OnProgress } from "../storage/storage.ts";
import { Database, importDuckDb } from "./database.ts";
import { copyEntries, writeDays } from "./days.ts";
import { mirrorDays } from "./mirror.ts";
import { allowMeasuring, measure, watchProgress } from "./progress.ts";
import { rowsOf, type SqlRow } from "./rows.ts";
import { type SqlParameters, startReading } from "./statement.ts";
import { plainGlob } from "./log-files.ts";
import { makeView, quoted, setUp } from "./view.ts";

/** With one thread and lines of 16 MiB, the reader's buffers leave some of it for the answer. */
const LEAST_MEMORY_BYTES = 100 * 2 ** 20;

/** The place of the log, and the memory that DuckDB may use. */
export interface SqlOptions {
  /**
   * Directories that hold the log: `FileStorage`'s own, or the downloaded or mounted days of a
   * bucket. The log's own files are read, as by `count()`; other files and directories in them are
   * not.
   */
  readonly paths: string | readonly string[];
  /**
   * Further directories whose files statements may name, such as a price list to join: `"/"` for
   * all that the process can read.
   * @default none: a statement reads the log alone
   */
  readonly readable?: string | readonly string[];
  /**
   * Memory limit for DuckDB in bytes, not counting rows already returned; at least 100 MiB. Sorts
   * and groups that do not fit go to disk. Less memory means fewer threads and shorter lines
   * (docs/sql.md).
   * @default 80 % of the machine's memory
   */
  readonly memoryBytes?: number | undefined;
  /**
   * Called with the progress of a statement or an export, as DuckDB estimates it; for each one
   * separately.
   */
  readonly onProgress?: OnProgress | undefined;
}

/**
 * One log, queried as the view `entries`; control lines are not in it. Statements read, and read
 * the directories named here only; they reach no network. Several may run at a time.
 */
export class AuditSql {
  readonly #database: Database;
  readonly #folders: readonly string[];
  readonly #memoryBytes: number | undefined;
  readonly #onProgress: OnProgress | undefined;
  readonly #exports = new Set<Database>();

  private constructor(
    database: Database,
    folders: readonly string[],
    { memoryBytes, onProgress }: Pick<SqlOptions, "memoryBytes" | "onProgress">,
  ) {
    this.#database = database;
    this.#folders = folders;
    this.#memoryBytes = memoryBytes;
    this.#onProgress = onProgress;
  }

  /**
   * Opens a log. Nothing is copied: each query reads the files as they are then.
   *
   * @throws `AUDIT_CONFIG_INVALID` when the package is missing, a path is empty or the memory is
   * too little, `AUDIT_READ_FAILED`
   * @example
   * await using sql = await AuditSql.open({ paths: "./audit-logs" });
   * await sql.query("SELECT model, count(*) AS calls FROM entries GROUP BY model");
   */
  static async open({
    paths,
    readable = [],
    memoryBytes,
    onProgress,
  }: SqlOptions): Promise<AuditSql> {
    const folders = resolved("paths", paths);
    if (folders.length === 0) throw new AuditConfigError("paths must name directories");
    if (
      memoryBytes !== undefined &&
      !(memoryBytes >= LEAST_MEMORY_BYTES && Number.isSafeInteger(memoryBytes))
    )
      throw new AuditConfigError("memoryBytes must be a whole number of bytes, 100 MiB at least");
    // DuckDB compares paths before it expands them, so patterns of the folders are allowed as well.
    const allowed = [...folders, ...folders.map(plainGlob), ...resolved("readable", readable)];
    const database = await Database.open(memoryBytes);
    let canMeasure = false;
    try {
      const connection = await database.connect();
      await database.step(async () => {
        await setUp(connection, memoryBytes);
        const measuring = onProgress === undefined ? "" : await allowMeasuring(connection);
        canMeasure = measuring !== "";
        await connection.run(
          `${measuring} SET allowed_directories = [${allowed.map(quoted).join(", ")}];
           SET enable_external_access = false;
           SET lock_configuration = true`,
        );
      });
      database.disconnect(connection);
    } catch (error) {
      await database.close();
      throw error;
    }
    return new AuditSql(database, folders, {
      memoryBytes,
      onProgress: canMeasure ? onProgress : undefined,
    });
  }

  /**
   * All rows of one statement. `parameters` stand for `$1`, `$2` … in it.
   * @throws `AUDIT_INPUT_INVALID` for anything but one reading statement, `AUDIT_READ_FAILED` when
   * DuckDB cannot run it, `AUDIT_CLOSED`
   */
  async query(statement: string, parameters: SqlParameters = []): Promise<SqlRow[]> {
    const rows: SqlRow[] = [];
    for await (const row of this.stream(statement, parameters)) rows.push(row);
    return rows;
  }

  /**
   * The rows of one statement as they are computed, in memory that does not grow with their number.
   * Stopping early ends the statement. Errors come with the first row that is asked for, or a later
   * one.
   * @throws as `query()`
   */
  async *stream(
    statement: string,
    parameters: SqlParameters = [],
  ): AsyncGenerator<SqlRow, void, undefined> {
    const connection = await this.#database.connect();
    let stopWatching: (() => void) | undefined;
    try {
      stopWatching = await this.#watch(connection, this.#database);
      const result = await this.#database.step(async () => {
        await makeView(connection, this.#folders, this.#memoryBytes);
        return startReading(connection, statement, parameters);
      });
      const { JSDuckDBValueConverter: convert } = await importDuckDb();
      const names = result.deduplicatedColumnNames();
      for (;;) {
        const chunk = await this.#database.step(async () => result.fetchChunk());
        if (chunk === null || chunk.rowCount === 0) return;
        for (const row of rowsOf(chunk, names, convert, () => this.#database.assertOpen()))
          yield row;
      }
    } finally {
      stopWatching?.();
      this.#database.disconnect(connection);
    }
  }

  /**
   * Reports the progress of the connection's statements until the returned function is called.
   * Undefined without `onProgress`.
   */
  async #watch(
    connection: DuckDBConnection,
    database: Database,
    scale: (share: number) => number = (share) => share,
  ): Promise<(() => void) | undefined> {
    const onProgress = this.#onProgress;
    if (onProgress === undefined) return undefined;
    await database.step(async () => measure(connection));
    return watchProgress(connection, (share) => onProgress(scale(share)));
  }

  /**
   * Writes the entries as Parquet files, one folder a day:
   * `<folder>/day=YYYY-MM-DD/ai-audit_*.parquet`. The folder mirrors the log: files of that name
   * are replaced, and removed for days, or parts of days, that the log no longer has. Other files
   * in it stay. A day is sorted by time and id, through its files by number; memory does not grow
   * with the log. A folder takes one export at a time. Resolves to the number of entries.
   * @throws `AUDIT_READ_FAILED` when DuckDB cannot run it, `AUDIT_WRITE_FAILED` when the folder
   * cannot be written, `AUDIT_CLOSED`
   */
  async exportParquet(folder: string): Promise<number> {
    if (folder === "") throw new AuditInputError("folder must name a directory");
    return this.#database.step(async () => this.#export(resolve(folder)));
  }

  /** In a DuckDB of its own: the one for statements cannot write. */
  async #export(folder: string): Promise<number> {
    const database = await Database.open(this.#memoryBytes);
    this.#exports.add(database);
    let stopWatching: (() => void) | undefined;
    try {
      this.#database.assertOpen(); // closed meanwhile, without knowing of this one
      const connection = await database.connect();
      await database.step(async () => {
        await setUp(connection, this.#memoryBytes);
        await makeView(connection, this.#folders, this.#memoryBytes);
      });
      const copy = join(database.spill, "copy");
      return await mirrorDays(folder, async (stage) => {
        stopWatching = await this.#watch(connection, database, (share) => share / 2);
        await database.step(async () => copyEntries(connection, copy));
        stopWatching?.();
        return database.step(async () =>
          writeDays(connection, copy, stage, (share) => this.#onProgress?.((1 + share) / 2)),
        );
      });
    } catch (cause) {
      if (AuditError.isInstance(cause)) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AuditError("AUDIT_WRITE_FAILED", `the Parquet files were not written: ${reason}`, {
        cause,
      });
    } finally {
      stopWatching?.();
      this.#exports.delete(database);
      await database.close();
    }
  }

  /**
   * Ends running statements, which then reject with `AUDIT_CLOSED` as later calls do. Resolves when
   * all is released. Idempotent.
   */
  async close(): Promise<void> {
    const closing = this.#database.close();
    await Promise.all([...this.#exports].map(async (database) => database.close()));
    await closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function resolved(option: string, paths: string | readonly string[]): string[] {
  return (typeof paths === "string" ? [paths] : paths).map((path) => {
    if (path === "") throw new AuditConfigError(`${option} must name directories`);
    return resolve(path);
  });
}
