// The retention of a log: for how long entries are kept.
import { parseSegmentName, segmentDay } from "@ai-audit/core/format";
import { EXIT, Failure } from "../failure.ts";
import { listLogFiles } from "../log/log-files.ts";
import { formatTime, plural } from "../output/format.ts";
import type { Settings } from "../settings/settings.ts";
import { DAY_MS } from "@ai-audit/core/format";

/** Days kept by default. */
export const DEFAULT_RETENTION_DAYS = 365;

/** Entries older than this are removed. */
export interface CutOff {
  /** Milliseconds since the epoch. */
  readonly before: number;
  /** Days kept; undefined if a time was given instead. */
  readonly days: number | undefined;
  /** The rule that authorises it, for the log: `retention 365 days`. */
  readonly policy: string;
  /**
   * The rule, its origin and its effect: `retention 365 days (the default): removes entries older
   * than …`.
   */
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
    description: `retention ${plural(days, "day")} (${origin}): ${effectOf(before)}`,
  };
}

/** The cut-off at a time, in milliseconds since the epoch. @throws {Failure} as `cutOffOf()` */
export function cutOffAt(before: number, settings: Settings, now: number): CutOff {
  const days = (now - before) / DAY_MS;
  checkFloor(days, settings);
  const policy = `before ${new Date(before).toISOString()}`;
  const description = `--before, ${plural(Math.floor(days), "day")} ago: ${effectOf(before)}`;
  return { before, days: undefined, policy, description };
}

function effectOf(before: number): string {
  return `removes entries older than ${formatTime(new Date(before).toISOString())} UTC`;
}

/**
 * Files within the cut-off that stay because they may still grow: those of the present UTC day or
 * of a later one.
 */
export async function filesOfToday(
  location: string,
  before: number,
  now: number,
): Promise<string[]> {
  // As the storage counts: see PruneOptions.now.
  const today = segmentDay(new Date(Math.min(now, Date.now())));
  const last = segmentDay(new Date(before));
  if (last < today) return [];
  return (await listLogFiles(location))
    .map(({ file }) => file)
    .filter((file) => {
      const day = parseSegmentName(file)?.day;
      return day !== undefined && day >= today && day <= last;
    });
}

function checkFloor(days: number, settings: Settings): void {
  const floor = settings.days("AUDIT_RETENTION_FLOOR_DAYS");
  if (floor === undefined || days >= floor) return;
  throw new Failure(
    EXIT.config,
    `entries must be kept for ${floor} days (AUDIT_RETENTION_FLOOR_DAYS), and this would keep ${Math.floor(days)}`,
    "keep them longer, or correct AUDIT_RETENTION_FLOOR_DAYS",
  );
}
