// ai-audit export: entries for other systems and other people. Over 300 lines: one function for each
// format, and the checks of options that exclude each other.
import { logSources } from "../log/storage.ts";
import { type Filter, readRuns } from "@ai-audit/core/reading";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, Option } from "commander";
import { collect } from "../arguments/values.ts";
import { DEFAULT_MIB, parseMemory } from "../sql/duckdb.ts";
import { writeBundle } from "../export/bundle.ts";
import type { BundleOptions } from "../export/bundle-proofs.ts";
import { bundleRemarks, bundleResult } from "../export/bundle-report.ts";
import { csvHeader, csvRow } from "../export/csv.ts";
import { exportNew } from "../export/follow.ts";
import { ocsfLine } from "../export/ocsf.ts";
import { SpanWriter } from "../export/otel.ts";
import { makePage, requirePage } from "../export/page.ts";
import { writeOriginal } from "../export/original.ts";
import { type ParquetOptions, writeParquet } from "../export/parquet.ts";
import { exportRecords, recordOf } from "../export/records.ts";
import { type LogRecord, redactor } from "../export/redact.ts";
import { EXIT, usageFailure } from "../failure.ts";
import {
  addFilterOptions,
  type FilterFlags,
  filterOf,
  rangeOf,
  requireSearched,
} from "../reading/filters.ts";
import { addLocationArgument, resolveDirectory } from "../log/location.ts";
import { openLog, type OpenLog } from "../log/open-log.ts";
import { formatCount, plural } from "../output/format.ts";
import { addOutputOption, type Sink, withSink } from "../output/output-file.ts";
import { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";
import { addAnchorOptions, type AnchorFlags, anchorOf } from "../verifying/anchors.ts";
import { Settings } from "../settings/settings.ts";

const FORMATS = [
  "jsonl",
  "csv",
  "parquet",
  "otel",
  "ocsf",
  "rotalabs-comply",
  "html",
  "bundle",
] as const;

interface ExportFlags extends FilterFlags, AnchorFlags {
  readonly format: (typeof FORMATS)[number];
  readonly redact: readonly string[];
  readonly output?: string;
  readonly memory: number;
  readonly cursor?: string;
  readonly follow?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  const filtered = addFilterOptions(addLocationArgument(command), session);
  addOutputOption(addAnchorOptions(filtered, "bundle: "))
    .description(
      "Writes the entries that meet all conditions, oldest first. jsonl: lines of the log. csv: for spreadsheets. " +
        "parquet: a directory (named by --output) with a folder of Parquet files for each day, by DuckDB (the package " +
        "@duckdb/node-api is needed). otel: OpenTelemetry GenAI spans as OTLP/JSON, one trace for each invocation. " +
        "ocsf: OCSF 1.8 events of the class API Activity with the profile ai_operation, a line each, for a SIEM. " +
        "rotalabs-comply: what the Python original " +
        "reads: its 17 fields, without outcome, error, run and the like, and with plain SHA-256 hashes where content was " +
        "encrypted. html: one page that shows the entries and verifies them in any browser, offline, with a key that its reader " +
        "gives; ai-audit check decides on it. bundle: a directory of evidence (named by --output) that a third party checks with standard tools; without " +
        "conditions it holds the whole files, verified first, with conditions only the entries that meet them and their proofs. " +
        "Files that cannot be proven are named, and entries that cannot be proven are left out of a selection; the " +
        "exit code then is 65. With --cursor, jsonl and ocsf append to --output the sealed entries of a directory that are " +
        "new since the last time: each once, also across crashes and restarts.",
    )
    .addOption(
      new Option("-f, --format <format>", "what to write").choices(FORMATS).default("jsonl"),
    )
    .addOption(
      new Option("--redact <path>", "leave this out: input, output, metadata.email …; repeatable")
        .default([], "nothing")
        .argParser(collect),
    )
    .option(
      "--cursor <file>",
      "jsonl, ocsf: append what is new since this cursor, and keep it here",
    )
    .option("--follow", "with --cursor: go on until interrupted")
    .addOption(
      new Option(
        "--memory <MiB>",
        "parquet: memory limit of DuckDB; more makes it faster, and lets it read longer lines",
      )
        .default(DEFAULT_MIB)
        .argParser(parseMemory),
    )
    .action((location: string | undefined, flags: ExportFlags) =>
      exportLog(location, flags, session),
    );
}

async function exportLog(
  given: string | undefined,
  flags: ExportFlags,
  session: Session,
): Promise<void> {
  if (flags.json && flags.output === undefined && flags.format === "csv") {
    throw usageFailure(
      "--json and --format csv: one or the other",
      "with --output FILE, --json says what was written",
    );
  }
  if (flags.format !== "bundle" && anchorOf(flags) !== undefined)
    throw usageFailure("--anchor goes with --format bundle alone");
  if (flags.cursor !== undefined || flags.follow) return followLog(given, flags, session);
  let written = 0;
  const progress = new Progress(session, "exporting", () => `${formatCount(written)} written`);
  const log = await openLog(given, session, progress);
  const filter = await filterOf(flags, log.settings);
  const onPage = (_: number, found: number): void => {
    written = found;
  };
  if (flags.format === "bundle") {
    return exportBundle(flags, filter, log, session, (share, entries) => {
      written = entries;
      progress.update(share);
    });
  }
  if (flags.format === "html") {
    await exportHtml(flags, filter, log, session, (share, entries) => {
      written = entries;
      progress.update(share);
    });
    progress.clear();
    return requireSearched(filter);
  }
  if (flags.format === "rotalabs-comply" && flags.redact.length > 0) {
    throw usageFailure("--redact does not go with rotalabs-comply: its fields are fixed");
  }
  let count = 0;
  let remark: string | undefined;
  if (flags.format === "parquet") {
    count = await exportParquet(flags, filter, log, { onPage, onProgress: progress.onProgress });
  } else {
    await withSink(flags.output, session.out, async (sink) => {
      if (flags.format === "rotalabs-comply") {
        ({ entries: count, remark } = await writeOriginal(
          { log, range: rangeOf(flags), filter },
          sink,
        ));
      } else {
        count = await exportPages(flags, filter, log, sink, onPage);
      }
    });
  }
  progress.clear();
  if (count === 0) session.exitCode = EXIT.nothing;
  if (flags.json && flags.output !== undefined)
    await session.out.json({ entries: count, output: flags.output });
  else await session.log.line(`${plural(count, "entry", "entries")} exported`);
  if (remark !== undefined) await session.log.line(remark);
  requireSearched(filter);
}

type OnPage = (read: number, found: number) => void;

async function exportPages(
  { format, redact, ...range }: ExportFlags,
  filter: Filter,
  log: OpenLog,
  sink: Sink,
  onPage: OnPage,
): Promise<number> {
  const { storage } = log;
  const opened = filter.opener.hasKeys;
  const spans = new SpanWriter(
    format === "otel" ? await readRuns(await logSources(log), undefined) : [],
  );
  let count = 0;
  if (format === "csv") await sink.write(csvHeader(opened));
  for await (const records of exportRecords({
    storage,
    range: rangeOf(range),
    filter,
    redact,
    onPage,
  })) {
    count += records.length;
    if (format === "otel") await sink.write(`${spans.line(records)}\n`);
    else await sink.write(records.map((record) => recordText(format, record, opened)).join(""));
  }
  const rest = spans.rest();
  if (rest !== undefined) await sink.write(`${rest}\n`);
  return count;
}

function recordText(format: ExportFlags["format"], record: LogRecord, opened: boolean): string {
  if (format === "csv") return csvRow(record, opened);
  return format === "ocsf" ? ocsfLine(record) : `${JSON.stringify(record)}\n`;
}

/** Time between two looks at a directory. */
const POLL_MS = 1000;

/** Appends new entries to a file, with --follow repeatedly. */
async function followLog(
  given: string | undefined,
  flags: ExportFlags,
  session: Session,
): Promise<void> {
  const { format, cursor, output, redact } = flags;
  if (cursor === undefined)
    throw usageFailure("--follow needs --cursor FILE", "the file keeps what was written");
  if (output === undefined)
    throw usageFailure("--cursor needs --output FILE", "new entries are appended to that file");
  if (format !== "jsonl" && format !== "ocsf")
    throw usageFailure(`--cursor does not go with --format ${format}`, "use jsonl or ocsf");
  if (flags.since !== undefined || flags.until !== undefined)
    throw usageFailure(
      "--since and --until do not go with --cursor",
      "the cursor says what is new",
    );
  const settings = Settings.load(session.env);
  const directory = resolveDirectory(given, settings, "export --cursor");
  const filter = await filterOf(flags, settings);
  const redacted = redactor(redact);
  const textOf = (line: string): string =>
    filter.entryOf(line) === undefined
      ? ""
      : recordText(format, redacted(recordOf(line, filter)), filter.opener.hasKeys);
  const options = { directory, output, cursor, exported: describeExport(flags), textOf };
  for (;;) {
    const entries = await exportNew(options);
    if (flags.json) await session.out.json({ entries, output });
    else if (!flags.follow)
      await session.log.line(`${plural(entries, "entry", "entries")} exported`);
    await session.out.flush();
    if (!flags.follow) break;
    await sleep(POLL_MS);
  }
  requireSearched(filter);
}

/** Format and conditions, for the cursor: other ones would make other lines of the same entries. */
function describeExport(flags: ExportFlags): string {
  const given = Object.entries(flags)
    .filter(([name]) => !UNRELATED.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(given));
}

/** Options that do not change the lines. */
const UNRELATED: ReadonlySet<string> = new Set([
  "output",
  "cursor",
  "follow",
  "json",
  "memory",
  "anchor",
  "anchorKey",
]);

/** A page, to a file or to standard output. */
async function exportHtml(
  flags: ExportFlags,
  filter: Filter,
  log: OpenLog,
  session: Session,
  onProgress: BundleOptions["onProgress"],
): Promise<void> {
  if (flags.redact.length > 0 || flags.decrypt) {
    throw usageFailure(
      "a page holds lines as they were sealed: --redact and --decrypt do not go with it",
      "export jsonl beside it",
    );
  }
  const page = await makePage({
    log,
    filter,
    range: rangeOf(flags),
    now: session.now(),
    selection: selectionOf(flags),
    onProgress,
  });
  if (page.entries > 0) {
    const html = requirePage(page);
    await withSink(flags.output, session.out, (sink) => sink.write(html));
  }
  const output = flags.output ?? "-";
  const content = { ...page, vkeys: [], findings: [] };
  if (page.entries === 0) {
    session.exitCode = EXIT.nothing;
    return session.log.line("nothing exported, and no page made");
  }
  if (page.unproven.count > 0) session.exitCode = EXIT.data;
  if (flags.json && flags.output !== undefined)
    await session.out.json(bundleResult(flags.output, content));
  for (const line of bundleRemarks(output, content, flags.json === true))
    await session.log.line(line);
}

/** The conditions, as they were typed. */
function selectionOf(flags: ExportFlags): string {
  const given = Object.entries(flags).flatMap(([name, value]: [string, unknown]) => {
    if (UNRELATED.has(name) || name === "format" || name === "redact") return [];
    if (name === "since" || name === "until")
      return [`--${name} ${new Date(Number(value)).toISOString()}`];
    if (name === "metadata" && Array.isArray(value))
      return value.map(
        (pair: unknown) => `--metadata ${Array.isArray(pair) ? pair.join("=") : ""}`,
      );
    return [value === true ? `--${name}` : `--${name} ${String(value)}`];
  });
  return given.join(" ") || "all entries of the log";
}

/** A directory with the lines as they are. */
function exportParquet(
  flags: ExportFlags,
  filter: Filter,
  log: OpenLog,
  hooks: Pick<ParquetOptions, "onPage" | "onProgress">,
): Promise<number> {
  const output = namedDirectory(
    flags,
    "parquet",
    "the members that the log has",
    "export jsonl or csv",
  );
  return writeParquet(output, {
    log,
    filter,
    range: rangeOf(flags),
    isWhole: isWhole(flags, filter),
    memoryMib: flags.memory,
    ...hooks,
  });
}

async function exportBundle(
  flags: ExportFlags,
  filter: Filter,
  log: OpenLog,
  session: Session,
  onProgress: BundleOptions["onProgress"],
): Promise<void> {
  const output = namedDirectory(
    flags,
    "a bundle",
    "lines as they were sealed",
    "export jsonl beside it",
  );
  const anchor = anchorOf(flags);
  const content = await writeBundle(output, {
    log,
    ...(anchor && { anchor }),
    filter,
    range: rangeOf(flags),
    out: session.out,
    onProgress,
    isWhole: isWhole(flags, filter),
    now: session.now(),
    selection: selectionOf(flags),
  });
  if (content.entries === 0) session.exitCode = EXIT.nothing;
  if (content.unproven.count > 0 || content.findings.length > 0) session.exitCode = EXIT.data;
  if (flags.json) await session.out.json(bundleResult(output, content));
  for (const line of bundleRemarks(output, content, flags.json === true))
    await session.log.line(line);
}

/** @throws {Failure} when no directory is named, or an option would change the lines */
function namedDirectory(
  { output, redact, decrypt }: ExportFlags,
  what: string,
  contents: string,
  instead: string,
): string {
  if (output === undefined) throw usageFailure(`${what} is a directory`, "name it with --output");
  if (redact.length === 0 && !decrypt) return output;
  throw usageFailure(
    `${what} holds ${contents}: --redact and --decrypt do not go with it`,
    instead,
  );
}

/** Whether all entries are exported. */
function isWhole({ since, until }: ExportFlags, filter: Filter): boolean {
  return filter.isEmpty && since === undefined && until === undefined;
}
