// The time of a segment, which decides on validity of keys, "a later day" and imports.
import { dayOfSegment, segmentDay, startOfDay } from "../format/segment-name.ts";

/**
 * Milliseconds since the epoch: the later of the name's day and `created`. An import writes files
 * of earlier days, so the name alone is too early; and `created` alone depends on the writer's
 * clock.
 */
export function timeOfSegment({ file, created }: { file: string; created: string }): number {
  const times = [startOfDay(dayOfSegment(file) ?? ""), Date.parse(created)];
  return Math.max(...times.filter((time) => !Number.isNaN(time)), 0);
}

/** The UTC day of that time: `YYYYMMDD`. */
export function dayWritten(segment: { file: string; created: string }): string {
  return segmentDay(new Date(timeOfSegment(segment)));
}

/**
 * Whether a segment was written on a later day than its name's, by an import: not a moment after
 * midnight.
 */
export function isImported({ file, created }: { file: string; created: string }): boolean {
  const written = segmentDay(new Date(timeOfSegment({ file, created }) - GRACE_MS));
  return written > (dayOfSegment(file) ?? written);
}

/**
 * An idle writer ends its segment a second after midnight by its own clock. That clock may be off,
 * and a commit in progress at midnight may wait for a disk or a bucket: minutes, not hours.
 */
const GRACE_MS = 5 * 60_000;

/**
 * Whether a segment is of the present UTC day, or of one that ended a moment ago, and so may still
 * be written.
 */
export function mayBeWritten(file: string, now: Date): boolean {
  const day = dayOfSegment(file);
  return day === segmentDay(now) || day === segmentDay(new Date(now.getTime() - GRACE_MS));
}
