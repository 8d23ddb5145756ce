// How long entries are kept.
import { EXIT, Failure } from "./failure.ts";
import { plural } from "./output/format.ts";
import type { Settings } from "./settings.ts";

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
  /** Where it comes from, for whoever reads: `365 days, the default`. */
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
  const fallback = set === undefined ? `the default is ${DEFAULT_RETENTION_DAYS}` : `AUDIT_RETENTION_DAYS is ${set}`;
  const origin = given === undefined ? (set === undefined ? "the default" : "AUDIT_RETENTION_DAYS") : fallback;
  checkFloor(days, settings);
  return {
    before: now - days * DAY_MS,
    days,
    policy: `retention ${days} days`,
    description: `${plural(days, "day")}; ${origin}`,
  };
}

/** The cut-off at a time, in milliseconds since the epoch. @throws {Failure} as `cutOffOf()` */
export function cutOffAt(before: number, settings: Settings, now: number): CutOff {
  const days = (now - before) / DAY_MS;
  checkFloor(days, settings);
  const policy = `before ${new Date(before).toISOString()}`;
  return { before, days: undefined, policy, description: `${Math.floor(days)} days ago, as --before says` };
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
