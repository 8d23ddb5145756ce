// ai-audit import: logs of the Python original, sealed from now on.
import { realpathSync } from "node:fs";
import { FileStorage } from "@ai-audit/core";
import { safeLine } from "@ai-audit/core/format";
import type { Command } from "commander";
import { EXIT, systemFailure, usageFailure } from "../failure.ts";
import { importLines, type ImportResult } from "../import/importer.ts";
import { type BadLine, type Survey, surveySource } from "../import/survey.ts";
import { encryptionKeys, loadEncryption } from "../settings/keys.ts";
import { addLocationArgument, placeOf, resolveDirectory } from "../log/location.ts";
import { listLogFiles } from "../log/log-files.ts";
import { formatCount, plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { openStorage } from "../log/storage.ts";
import { findSigner } from "../keeping/writing.ts";

interface ImportFlags {
  readonly acceptUnreadable?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addLocationArgument(
    command.argument("<source>", "directory of audit_*.jsonl files as rotalabs-comply writes them"),
  )
    .description(
      "Imports the entries of a log of rotalabs-comply, under their own time. They get new ids; metadata.imported_id keeps the old one. Content is encrypted if AUDIT_ENCRYPTION_KEY is set; that key also opens Fernet content. Entries of an earlier import are skipped. The seals prove that nothing has changed since the import. Lines that are not entries are left out, counted and named, and the exit code is 65; a last line that its writer did not finish is only named. A log of ai-audit cannot be imported.",
    )
    .option("--accept-unreadable", "exit with 0 even if lines were left out")
    .action((source: string, location: string | undefined, flags: ImportFlags) =>
      importLog(source, location, flags, session),
    );
}

async function importLog(
  source: string,
  given: string | undefined,
  flags: ImportFlags,
  session: Session,
): Promise<void> {
  const settings = Settings.load(session.env);
  const from = resolveDirectory(source, settings, "import");
  const to = placeOf(given, settings);
  await checkSource(from, to);
  const signer = findSigner(settings);
  const encryption =
    encryptionKeys(settings) === undefined ? undefined : await loadEncryption(settings);
  const reading = new Progress(session, "reading");
  const survey = await surveySource(from, reading.onProgress);
  reading.clear();
  const storage = await openStorage(to, settings, signer);
  const importing = new Progress(
    session,
    "importing",
    () => `of ${plural(survey.entries, "entry", "entries")}`,
  );
  let result: ImportResult;
  try {
    const { onProgress } = importing;
    result = await importLines(new FileStorage({ path: from }), storage, {
      encryption,
      onProgress,
    });
  } finally {
    importing.clear();
    await storage.close();
  }
  await report(result, survey, flags, session);
}

/**
 * An import is sealed permanently, so a log of this library is never read as a source: neither the
 * target itself, nor another log, whose entries would lose their seals and be recorded twice.
 *
 * @throws {Failure} `EXIT.usage`
 */
async function checkSource(from: string, to: string): Promise<void> {
  if (realPathOf(to) === realPathOf(from)) {
    throw usageFailure(
      `the source is also the target: ${from}`,
      "name another one: ai-audit import SOURCE LOCATION",
    );
  }
  const own = (await listLogFiles(from)).find(({ kind }) => kind === "segment");
  if (own === undefined) return;
  throw usageFailure(
    `${from} holds files of ai-audit, which are already sealed: ${safeLine(own.file)}`,
    "copy them as they are, or use ai-audit export; put files of rotalabs-comply into a separate directory",
  );
}

/** The path without links; unchanged for a place that does not exist yet, or is in a bucket. */
function realPathOf(place: string): string {
  try {
    return realpathSync(place);
  } catch (error) {
    if (systemFailure(error)?.exitCode === EXIT.missing) return place;
    throw error;
  }
}

async function report(
  { imported, skipped, altered }: ImportResult,
  survey: Survey,
  flags: ImportFlags,
  session: Session,
): Promise<void> {
  const { out, log } = session;
  const { unreadable, firstUnreadable, torn, otherFiles } = survey;
  // Readers skip the whole file where its first line is not an entry.
  const unread = Math.max(0, survey.entries - imported - skipped);
  if (altered > 0 || unread > 0 || (unreadable > 0 && flags.acceptUnreadable !== true))
    session.exitCode = EXIT.data;
  if (flags.json) {
    return out.json({
      imported,
      skipped,
      altered,
      unreadable: unreadable + unread,
      firstUnreadable,
      torn,
      otherFiles,
    });
  }
  await out.line(
    `${plural(imported, "entry", "entries")} imported, ${formatCount(skipped)} were already there`,
  );
  if (altered > 0) {
    await log.line(
      `${plural(altered, "entry", "entries")} had content that does not match its hash; imported with an alert`,
    );
  }
  if (unreadable > 0)
    await log.line(`${plural(unreadable, "line")} not imported, as they are not entries:`);
  for (const bad of firstUnreadable) await log.line(`  ${describe(bad)}`);
  if (unreadable > firstUnreadable.length)
    await log.line(`  and ${formatCount(unreadable - firstUnreadable.length)} more`);
  if (unread > 0)
    await log.line(
      `${plural(unread, "entry", "entries")} not imported: the first line of a file is unreadable`,
    );
  for (const bad of torn) await log.line(`not imported: ${describe(bad)}`);
  if (otherFiles.length > 0)
    await log.line(
      `not read, without a name like audit_YYYYMMDD.jsonl: ${otherFiles.map(safeLine).join(", ")}`,
    );
}

function describe({ file, line, reason }: BadLine): string {
  return `${file}:${line}  ${reason}`;
}
