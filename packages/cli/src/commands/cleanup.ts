// ai-audit cleanup: retention, by hand or from a timer.
import type { ExpiredPart, PruneResult } from "@ai-audit/core";
import { type Command, Option } from "commander";
import { parseDays } from "../arguments/values.ts";
import { openForCleanup, signerFor } from "../keeping/cleaning.ts";
import { EXIT, type Failure, usageFailure } from "../failure.ts";
import { addLocationArgument, isBucket, resolveLocation } from "../log/location.ts";
import { plural } from "../output/format.ts";
import type { Style } from "../output/output.ts";
import { Progress } from "../output/progress.ts";
import { Table } from "../output/table.ts";
import { type CutOff, cutOffAt, cutOffOf, filesOfToday } from "../keeping/retention.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { reportingReads } from "../log/storage.ts";
import { parseTime, TIME_FORMS } from "../arguments/times.ts";
import { addActorOption, defaultActor } from "../keeping/writing.ts";

interface CleanupFlags {
  readonly retention?: number;
  readonly before?: number;
  readonly dryRun?: true;
  readonly actor?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addActorOption(addLocationArgument(command))
    .description(
      "Removes the files whose newest entry is past retention. A record in the log precedes each removal. Files under a hold stay. Only whole files are removed (in a bucket: whole UTC days), never those of today. A file that does not match its seal, or that was sealed by a key other than the signing key and AUDIT_TRUSTED_KEYS, stays as evidence; the exit code is then 65. Nothing is removed if verifiers would not believe the record: if AUDIT_TRUSTED_KEYS lacks the signing key or, without that setting, if the signing key sealed no file of the directory.",
    )
    .addOption(
      new Option("--retention <days>", "days to keep")
        .argParser(parseDays)
        .default(undefined, "AUDIT_RETENTION_DAYS, or 365"),
    )
    .addOption(
      new Option("--before <time>", `instead: remove what is older than this: ${TIME_FORMS}`)
        .argParser((text) => parseTime(text, "from", session.now()))
        .conflicts("retention"),
    )
    .option(
      "--dry-run",
      "only print the files that would be removed or would stay, with reasons, and whether the run would be refused",
    )
    .action((location: string | undefined, flags: CleanupFlags) =>
      cleanup(location, flags, session),
    );
}

async function cleanup(
  given: string | undefined,
  flags: CleanupFlags,
  session: Session,
): Promise<void> {
  const settings = Settings.load(session.env);
  const location = resolveLocation(given, settings);
  const now = session.now().getTime();
  if (flags.before !== undefined && flags.before > now)
    throw usageFailure("--before is in the future");
  const cutOff =
    flags.before === undefined
      ? cutOffOf(flags.retention, settings, now)
      : cutOffAt(flags.before, settings, now);
  const dryRun = flags.dryRun === true;
  const signing = await signerFor(location, settings, dryRun);
  const { refusal } = signing;
  const { onProgress } = new Progress(session, "examining");
  const storage = reportingReads(await openForCleanup(location, settings, signing), onProgress);
  const { before, policy } = cutOff;
  try {
    const result = await storage.prune({
      before,
      policy,
      actor: flags.actor ?? defaultActor(),
      dryRun,
      now,
    });
    const today = isBucket(location) ? [] : await filesOfToday(location, before, now);
    await print(result, cutOff, { ...flags, location, refusal, today }, session);
    if ((result.refused ?? []).length > 0) session.exitCode = EXIT.data;
  } finally {
    await storage.close();
  }
}

interface PrintOptions extends CleanupFlags {
  readonly location: string;
  /** Why the run itself would be refused. */
  readonly refusal: Failure | undefined;
  /** See `filesOfToday()`. */
  readonly today: readonly string[];
}

/** A row of the table. */
type Row = Omit<ExpiredPart, "fate"> & { readonly fate: ExpiredPart["fate"] | "today" };

async function print(
  result: PruneResult,
  cutOff: CutOff,
  options: PrintOptions,
  session: Session,
): Promise<void> {
  const { entries, files, held = [], refused = [], expired = [] } = result;
  const { dryRun = false, json, location, refusal, today } = options;
  const { out, log } = session;
  if (json) {
    return out.json({
      before: new Date(cutOff.before).toISOString(),
      ...(cutOff.days !== undefined && { retentionDays: cutOff.days }),
      dryRun,
      entries,
      files,
      held,
      refused,
      expired,
      ...(today.length > 0 && { today }),
      ...(refusal && { wouldBeRefused: refusal.message }),
    });
  }
  await out.line(cutOff.description);
  const rows: readonly Row[] = [...expired, ...today.map(rowOfToday)];
  if (rows.length > 0) await table(dryRun, session).rows(rows);
  const removed = expired.filter(({ fate }) => fate === "removed").length;
  const parts = plural(removed, isBucket(location) ? "day" : "file");
  const done = dryRun ? "would be removed" : "removed";
  await out.line(`${plural(entries, "entry", "entries")} in ${parts} ${done}`);
  const evidence = expired.filter(({ fate }) => fate === "refused").length;
  if (evidence > 0) {
    await log.line(
      `${plural(evidence, "file")} refused: possibly altered, or sealed by another key; such files stay as evidence`,
    );
    await log.line(`  ai-audit verify ${location}`);
  }
  if (refusal === undefined) return;
  await log.line(`the run itself would be refused: ${refusal.message}`);
  if (refusal.hint !== undefined) await log.line(`  ${refusal.hint}`);
}

function rowOfToday(file: string): Row {
  const reason = "it is a file of today and may still grow";
  return { file, entries: null, from: null, to: null, fate: "today", reason };
}

const STYLES: Readonly<Record<Row["fate"], Style | undefined>> = {
  today: undefined,
  removed: undefined,
  held: "yellow",
  refused: "red",
};

function table(dryRun: boolean, { out }: Session): Table<Row> {
  const fates = {
    removed: dryRun ? "would be removed" : "removed",
    held: dryRun ? "would stay" : "stays",
    today: dryRun ? "would stay" : "stays",
    refused: dryRun ? "would be refused" : "refused",
  };
  return new Table<Row>(out, [
    { title: "FILE", value: ({ file }) => file },
    { title: "FROM", value: ({ from }) => from ?? "-" },
    { title: "TO", value: ({ to }) => to ?? "-" },
    {
      title: "ENTRIES",
      value: ({ entries }) => (entries === null ? "?" : String(entries)),
      align: "right",
    },
    {
      title: "FATE",
      value: ({ fate, reason }) =>
        reason === undefined ? fates[fate] : `${fates[fate]}: ${reason}`,
      style: ({ fate }) => STYLES[fate],
    },
  ]);
}
