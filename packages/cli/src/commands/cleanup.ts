// ai-audit cleanup: retention, by hand or from a timer.
import type { PruneResult } from "@ai-audit/core";
import { type Command, Option } from "commander";
import { parseDays } from "../arguments.ts";
import { addLocationArgument, resolveLocation } from "../location.ts";
import { plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import { retentionDays } from "../retention.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings.ts";
import { openStorage, reportingReads } from "../storage.ts";
import { addActorOption, defaultActor, needSigner } from "../writing.ts";

interface CleanupFlags {
  readonly retention?: number;
  readonly dryRun?: true;
  readonly actor?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addActorOption(addLocationArgument(command))
    .description(
      "Removes the files whose newest entry is past retention, after recording in the log that and why they go. Files " +
        "that a hold keeps stay. Only whole files are removed, and never one of today.",
    )
    .addOption(
      new Option("--retention <days>", "days to keep")
        .argParser(parseDays)
        .default(undefined, "AUDIT_RETENTION_DAYS, or 365"),
    )
    .option("--dry-run", "only say what would go")
    .action((location: string | undefined, flags: CleanupFlags) => cleanup(location, flags, session));
}

const DAY_MS = 86_400_000;

async function cleanup(given: string | undefined, flags: CleanupFlags, session: Session): Promise<void> {
  const settings = Settings.load(session.env);
  const location = resolveLocation(given, settings);
  const days = retentionDays(flags.retention, settings);
  const dryRun = flags.dryRun === true;
  const signer = dryRun ? undefined : await needSigner(location, settings);
  const now = session.now().getTime();
  const { onProgress } = new Progress(session, "examining");
  const storage = reportingReads(await openStorage(location, settings, signer), onProgress);
  try {
    const result = await storage.prune({
      before: now - days * DAY_MS,
      policy: `retention ${days} days`,
      actor: flags.actor ?? defaultActor(),
      dryRun,
      now,
    });
    await print(result, { days, dryRun, json: flags.json === true }, session);
  } finally {
    await storage.close();
  }
}

async function print(
  { entries, files, held = [] }: PruneResult,
  { days, dryRun, json }: { readonly days: number; readonly dryRun: boolean; readonly json: boolean },
  { out }: Session,
): Promise<void> {
  if (json) return out.json({ retentionDays: days, dryRun, entries, files, held });
  const done = dryRun ? "would be removed" : "removed";
  for (const file of files) await out.line(`${file}  ${done}`);
  for (const file of held) await out.line(`${file}  ${out.style("yellow", "kept by a hold")}`);
  await out.line(
    `${plural(entries, "entry", "entries")} in ${plural(files.length, "file")} older than ${plural(days, "day")} ${done}`,
  );
}
