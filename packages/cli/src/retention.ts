// How long entries are kept.
import { EXIT, Failure } from "./failure.ts";
import type { Settings } from "./settings.ts";

/** Days kept where nothing else is said. */
export const DEFAULT_RETENTION_DAYS = 365;

/**
 * Days to keep: those given, or AUDIT_RETENTION_DAYS, or 365.
 *
 * @throws {Failure} when that is less than AUDIT_RETENTION_FLOOR_DAYS
 */
export function retentionDays(given: number | undefined, settings: Settings): number {
  const days = given ?? settings.days("AUDIT_RETENTION_DAYS") ?? DEFAULT_RETENTION_DAYS;
  const floor = settings.days("AUDIT_RETENTION_FLOOR_DAYS");
  if (floor === undefined || days >= floor) return days;
  throw new Failure(
    EXIT.config,
    `entries must be kept for ${floor} days (AUDIT_RETENTION_FLOOR_DAYS), and ${days} are asked for`,
    "keep them longer, or change the floor if the law does",
  );
}
