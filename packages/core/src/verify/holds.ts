// Legal holds as the verifier sees them: the files that had to be kept, and from when to when.
import { dayOfSegment, startOfDay } from "../format/segment-name.ts";
import type { SegmentReport } from "./segment-report.ts";
import { timeOfSegment } from "./segment-time.ts";
import type { RecordedHold } from "./verification.ts";
import { DAY_MS } from "../time.ts";

/**
 * All holds. A release counts from a segment of the key that the hold's segment names, or of one
 * that the verifier was given; that of an unsigned hold always.
 */
export function findHolds(reports: readonly SegmentReport[]): RecordedHold[] {
  const found = reports.flatMap(({ hold, open, isProven }) =>
    hold && open ? [{ line: hold, open, isProven }] : [],
  );
  return found.flatMap(({ line, open }) => {
    if (line.type !== "retention.hold") return [];
    const release = found.find(
      (by) =>
        by.line.type === "retention.release" &&
        by.line.hold === line.hold &&
        (open.vkey === null || by.open.vkey === open.vkey || by.isProven),
    );
    const { hold, from, to, reason, actor } = line;
    const placed = isTime(line.placed) ? line.placed : new Date(timeOfSegment(open)).toISOString();
    const released =
      release?.line.type === "retention.release" && isTime(release.line.released)
        ? release.line.released
        : release && new Date(timeOfSegment(release.open)).toISOString();
    return [{ hold, from, to, reason, actor, placed, ...(released !== undefined && { released }) }];
  });
}

function isTime(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

/** A range of milliseconds since the epoch, both inclusive. */
export interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

/** The UTC day in a segment's name; undefined when it has none. */
export function dayIn(file: string): TimeSpan | undefined {
  const start = startOfDay(dayOfSegment(file.slice(file.lastIndexOf("/") + 1)) ?? "");
  return Number.isNaN(start) ? undefined : { from: start, to: start + DAY_MS - 1 };
}

/** A hold, of those given, that covers a part of a span of entries' times. */
export function holdOn(
  { from, to }: TimeSpan,
  holds: readonly RecordedHold[],
): RecordedHold | undefined {
  // An unreadable bound counts as open.
  return holds.find(
    (hold) => !(Date.parse(hold.from ?? "") > to) && !(Date.parse(hold.to ?? "") < from),
  );
}

/**
 * Holds that were in force at any time of a span: a removal must not gain by leaving out its time.
 */
export function inForce(holds: readonly RecordedHold[], { from, to }: TimeSpan): RecordedHold[] {
  return holds.filter(
    ({ placed, released }) => Date.parse(placed) < to && !(Date.parse(released ?? "") <= from),
  );
}
