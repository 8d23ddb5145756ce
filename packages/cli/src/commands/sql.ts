// ai-audit sql: questions over many entries, answered by DuckDB.
import { AuditError } from "@ai-audit/core";
import { safeLine } from "@ai-audit/core/format";
import type { SqlRow } from "@ai-audit/core/sql";
import { type Command, Option } from "commander";
import { collecting, DEFAULT_MIB, openSql, parseMemory, shortOfMemory } from "../sql/duckdb.ts";
import { EXIT, Failure, systemFailure, usageFailure } from "../failure.ts";
import { addRangeOptions, type RangeFlags, rangeOf } from "../reading/filters.ts";
import { withGathered } from "../sql/gathered.ts";
import { addLocationArgument, isBucket, resolveLocation } from "../log/location.ts";
import { noteForeign, openLog } from "../log/open-log.ts";
import { formatBytes, plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { type Column, Table } from "../output/table.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { isFigure, textOfCell, toJsonText } from "../sql/sql-values.ts";

interface SqlFlags extends RangeFlags {
  readonly memory?: number;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addRangeOptions(
    addLocationArgument(command.argument("<statement>", "one statement over the view `entries`")),
    session,
  )
    .addOption(
      new Option(
        "--memory <MiB>",
        "memory limit of DuckDB; more makes it faster, and lets it read longer lines",
      )
        .default(DEFAULT_MIB)
        .argParser(parseMemory),
    )
    .description(
      "Runs an SQL statement with DuckDB (the package @duckdb/node-api is needed). The view `entries` has a column for each field of an entry, named as in the log; `DESCRIBE entries` lists them. Nothing is verified or decrypted. A statement can read every file that you can read, and write none. From a bucket, the entries of --since to --until are first downloaded into a temporary directory. The exit code is 1 when there is no row.",
    )
    .action((statement: string, location: string | undefined, flags: SqlFlags) =>
      sql(statement, location, flags, session),
    );
}

async function sql(
  statement: string,
  given: string | undefined,
  flags: SqlFlags,
  session: Session,
): Promise<void> {
  const range = rangeOf(flags);
  const location = resolveLocation(given, Settings.load(session.env));
  if (isBucket(location))
    return withGathered(download(given, flags, session), (path) =>
      answer(statement, path, flags, session),
    );
  if (range.from !== undefined || range.to !== undefined) {
    throw usageFailure(
      "--since and --until limit the download from a bucket, and this is a directory",
      "filter in the statement: WHERE timestamp >= '2026-11-23'",
    );
  }
  await noteForeign(location, session, "of-all");
  await answer(statement, location, flags, session);
}

async function* download(
  given: string | undefined,
  flags: SqlFlags,
  session: Session,
): AsyncGenerator<readonly string[], void, undefined> {
  let entries = 0;
  let bytes = 0;
  const progress = new Progress(session, "downloading", () => formatBytes(bytes));
  const { storage } = await openLog(given, session, progress);
  for await (const page of storage.pages(rangeOf(flags), "oldest-first")) {
    entries += page.length;
    for (const line of page) bytes += Buffer.byteLength(line) + 1;
    yield page;
  }
  progress.clear();
  if (!flags.json) {
    await session.log.line(
      `${plural(entries, "entry", "entries")} downloaded, ${formatBytes(bytes)}`,
    );
    await session.log.flush();
  }
}

async function answer(
  statement: string,
  path: string,
  { json, memory }: SqlFlags,
  session: Session,
): Promise<void> {
  const { onProgress } = new Progress(session, "computing");
  const opened = await openSql({ paths: path, readable: "/", memoryMib: memory, onProgress });
  let count = 0;
  try {
    const print = json ? jsonPrinter(session) : tablePrinter(session);
    for await (const rows of collecting(pagesOf(opened.stream(statement)))) {
      count += rows.length;
      await print(rows);
    }
  } catch (error) {
    throw asMistake(error);
  } finally {
    await opened.close();
  }
  if (count > 0) return;
  session.exitCode = EXIT.nothing;
  if (!json) await session.log.line("no rows");
}

/** Rows that are printed together: a table's columns get their widths from the first of them. */
const PAGE_ROWS = 100;

async function* pagesOf(
  rows: AsyncIterable<SqlRow>,
): AsyncGenerator<readonly SqlRow[], void, undefined> {
  let page: SqlRow[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length < PAGE_ROWS) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** DuckDB's errors about the statement, and not about the files that it reads. */
const MISTAKE =
  /^DuckDB: (?:Failed to extract statements: )?((?:Parser|Binder|Catalog|Conversion|Invalid Input) Error: .*)/;

function asMistake(error: unknown): unknown {
  if (!(error instanceof AuditError) || error.code !== "AUDIT_READ_FAILED") return error;
  const [, path] =
    /^DuckDB: IO Error: Cannot open file "(.*)": Permission denied/.exec(error.message) ?? [];
  if (path !== undefined)
    return systemFailure(Object.assign(new Error(), { code: "EACCES", path: safeLine(path) }));
  const [, mistake] = MISTAKE.exec(error.message) ?? [];
  const [first = ""] = error.message.split("\n");
  const short = shortOfMemory(error);
  if (short) return short;
  return mistake === undefined
    ? new Failure(EXIT.io, safeLine(first), undefined, { cause: error })
    : new Failure(EXIT.usage, safeLine(mistake), 'columns: ai-audit sql "DESCRIBE entries"', {
        cause: error,
      });
}

type Print = (rows: readonly SqlRow[]) => Promise<void>;

function jsonPrinter({ out }: Session): Print {
  return async (rows) => {
    for (const row of rows) await out.write(`${toJsonText(row)}\n`);
  };
}

function tablePrinter({ out }: Session): Print {
  let table: Table<SqlRow> | undefined;
  return async (rows) => {
    table ??= new Table<SqlRow>(out, columnsOf(rows));
    await table.rows(rows);
  };
}

function columnsOf(rows: readonly SqlRow[]): Column<SqlRow>[] {
  return Object.keys(rows[0] ?? {}).map((name) => ({
    title: safeLine(name),
    value: (row) => textOfCell(row[name]),
    align: rows.every((row) => isFigure(row[name])) ? "right" : "left",
    maxWidth: 60,
  }));
}
