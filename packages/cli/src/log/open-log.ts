// Opens the log that a command reads.
import type { AuditStorage } from "@ai-audit/core";
import { isBucket, resolveLocation } from "./location.ts";
import { describeForeign } from "./log-files.ts";
import type { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { namingForeign, openStorage, reportingReads } from "./storage.ts";

/** A log to read from. */
export interface OpenLog {
  /** Absolute path, or `s3://bucket/prefix`. */
  readonly location: string;
  readonly storage: AuditStorage;
  readonly settings: Settings;
}

/**
 * The log at a location. Nothing is written there before the first append. `progress` shows the
 * progress of its readers. Foreign data is named on standard error: files in a directory at once,
 * objects in a bucket when the first of them is read, because listing them all would cost more than
 * the command.
 *
 * @throws {Failure} when there is none
 */
export async function openLog(
  given: string | undefined,
  session: Session,
  progress?: Progress,
): Promise<OpenLog> {
  const settings = Settings.load(session.env);
  const location = resolveLocation(given, settings);
  if (!isBucket(location)) await noteForeign(location, session);
  const storage = reportingReads(await openStorage(location, settings), progress?.onProgress);
  return {
    location,
    storage: isBucket(location) ? namingForeign(storage, session.log) : storage,
    settings,
  };
}

/** One line about foreign files in a directory; undefined if there are none. */
export async function noteForeign(
  location: string,
  { log }: Session,
  readers: Parameters<typeof describeForeign>[1] = "of-segments",
): Promise<void> {
  const note = await describeForeign(location, readers);
  if (note === undefined) return;
  await log.line(note);
  await log.flush(); // first of all: a command may run until it is interrupted
}
