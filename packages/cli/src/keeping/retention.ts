// How long entries are kept.
import { EXIT, Failure } from "../failure.ts";
import { listLogFiles } from "../log/log-files.ts";
import { formatTime, plural } from "../output/format.ts";
import type { Settings } from "../settings/settings.ts";

/** Days kept where nothing else is said. */
export const DEFAULT_RETENTION_DAYS = 365;

const DAY_MS = 86_400_000;

/** What is older goes. */
export interface CutOff {
  /** Milliseconds since the epoch. */
  readonly before: number;
  /** Days kept; undefined where a time was given instead. */
  readonly days: number | undefined;
  /** The rule that authorises it, for the log: `retention 365 days`. */
  readonly policy: string;
  /** What it is and where it comes from, for whoever reads: `retention 365 days (the default): … goes`. */
  readonly description: string;
}

/**
 * The cut-off of the days given, or else of AUDIT_RETENTION_DAYS, or else of 365.
 *
 * @throws {Failure} when that is less than AUDIT_RETENTION_FLOOR_DAYS
 */
export function cutOffOf(given: number | undefined, settings: Settings, now: number): CutOff {
  const set = settings.days("AUDIT_RETENTION_DAYS");
  const days = given ?? set ?? DEFAULT_RETENTION_DAYS;
  const fallback =
    set === undefined
      ? `the default is ${DEFAULT_RETENTION_DAYS}`
      : `AUDIT_RETENTION_DAYS is ${set}`;
  const origin =
    given === undefined ? (set === undefined ? "the default" : "AUDIT_RETENTION_DAYS") : fallback;
  checkFloor(days, settings);
  const before = now - days * DAY_MS;
  return {
    before,
    days,
    policy: `retention ${days} days`,
    description: `retention ${plural(days, "day")} (${origin}): ${whatGoes(before)}`,
  };
}

/** The cut-off at a time, in milliseconds since the epoch. @throws {Failure} as `cutOffOf()` */
export function cutOffAt(before: number, settings: Settings, now: number): CutOff {
  const days = (now - before) / DAY_MS;
  checkFloor(days, settings);
  const policy = `before ${new Date(before).toISOString()}`;
  const description = `--before, ${plural(Math.floor(days), "day")} ago: ${whatGoes(before)}`;
  return { before, days: undefined, policy, description };
}

function whatGoes(before: number): string {
  return `what is older than ${formatTime(new Date(before).toISOString())} UTC goes`;
}

/**
 * Files of a directory that a cut-off reaches into and that stay all the same: those of the present UTC day, or of a later
 * one, may still grow.
 */
export async function filesOfToday(
  location: string,
  before: number,
  now: number,
): Promise<string[]> {
  const today = dayOf(Math.min(now, Date.now())); // as the storage counts: see PruneOptions.now
  if (dayOf(before) < today) return [];
  const named = (await listLogFiles(location))
    .filter(({ isNamed }) => isNamed)
    .map(({ file }) => file);
  return named.filter((file) => dayIn(file) >= today && dayIn(file) <= dayOf(before));
}

/** `YYYYMMDD`. */
function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll("-", "");
}

function dayIn(file: string): string {
  return file.slice("audit_".length, "audit_YYYYMMDD".length);
}

function checkFloor(days: number, settings: Settings): void {
  const floor = settings.days("AUDIT_RETENTION_FLOOR_DAYS");
  if (floor === undefined || days >= floor) return;
  throw new Failure(
    EXIT.config,
    `entries must be kept for ${floor} days (AUDIT_RETENTION_FLOOR_DAYS), and ${Math.floor(days)} are asked for`,
    "keep them longer, or change the floor if the law does",
  );
}
