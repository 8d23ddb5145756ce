// ai-audit sql: questions over many entries, answered by DuckDB.
import { AuditError, safeLine } from "@ai-audit/core";
import type { AuditSql, SqlRow } from "@ai-audit/core/sql";
import type { Command } from "commander";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { addLogOption, isBucket, resolveLocation } from "../location.ts";
import { Table } from "../output/table.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings.ts";
import { isFigure, jsonOfRow, textOfCell } from "../sql-values.ts";

interface SqlFlags {
  readonly log?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addLogOption(command.argument("<statement>", "one statement that reads, over the view `entries`"))
    .description(
      "Answers a question in SQL with DuckDB (the package @duckdb/node-api is needed). The view `entries` has a column for " +
        "each member of an entry, named as in the log; `DESCRIBE entries` lists them. Nothing is verified and nothing is " +
        "decrypted. A statement can read every file that you can, and write none. Days of a bucket are downloaded first (docs/sql.md). " +
        "Exits with 1 when there is no row.",
    )
    .action((statement: string, flags: SqlFlags) => sql(statement, flags, session));
}

async function sql(statement: string, { log, json }: SqlFlags, session: Session): Promise<void> {
  const location = resolveLocation(log, Settings.load(session.env));
  if (isBucket(location)) {
    throw usageFailure(
      `sql works on a directory, not on a bucket: ${location}`,
      "download the days in question, or let Athena or ClickHouse read the bucket: docs/sql.md",
    );
  }
  const { AuditSql: Sql } = await import("@ai-audit/core/sql");
  const opened = await Sql.open({ paths: location, readable: "/" });
  const rows = await ask(opened, statement).finally(async () => {
    await opened.close();
  });
  if (rows.length === 0) {
    session.exitCode = EXIT.nothing;
    if (!json) await session.log.line("no rows");
    return;
  }
  if (json) for (const row of rows) await session.out.json(jsonOfRow(row));
  else await print(rows, session);
}

/** What DuckDB says of the statement itself, and not of the files that it reads. */
const MISTAKE =
  /^DuckDB: (?:Failed to extract statements: )?((?:Parser|Binder|Catalog|Conversion|Invalid Input) Error: .*)/;

async function ask(opened: AuditSql, statement: string): Promise<readonly SqlRow[]> {
  try {
    return await opened.query(statement);
  } catch (error) {
    if (!(error instanceof AuditError) || error.code !== "AUDIT_READ_FAILED") throw error;
    const [, mistake] = MISTAKE.exec(error.message) ?? [];
    const [first = ""] = error.message.split("\n");
    throw mistake === undefined
      ? new Failure(EXIT.io, safeLine(first), undefined, { cause: error })
      : new Failure(EXIT.usage, safeLine(mistake), 'columns: ai-audit sql "DESCRIBE entries"', { cause: error });
  }
}

async function print(rows: readonly SqlRow[], { out }: Session): Promise<void> {
  const names = Object.keys(rows[0] ?? {});
  const columns = names.map((name) => ({
    title: safeLine(name),
    value: (row: SqlRow) => textOfCell(row[name]),
    align: rows.every((row) => isFigure(row[name])) ? ("right" as const) : ("left" as const),
    maxWidth: 60,
  }));
  await new Table<SqlRow>(out, columns).rows(rows);
}
