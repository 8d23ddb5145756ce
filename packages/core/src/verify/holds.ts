// Holds as the verifier sees them: what was to be kept, so that it can say of what is gone that it should be there.
import type { RetentionHold } from "../format/control-line.ts";
import { dayOfSegment, startOfDay } from "../format/segment-name.ts";
import type { SegmentReport } from "./segment-report.ts";

const DAY_MS = 86_400_000;

/**
 * The holds that no release ends. A release counts from a segment of the key that the hold's segment names, or of one
 * that the verifier was given; that of an unsigned hold always.
 */
export function holdsInForce(reports: readonly SegmentReport[]): RetentionHold[] {
  const found = reports.flatMap(({ hold, open, isProven }) =>
    hold && open ? [{ line: hold, vkey: open.vkey, isProven }] : [],
  );
  return found.flatMap(({ line, vkey }) => {
    if (line.type !== "retention.hold") return [];
    const isReleased = found.some(
      (by) =>
        by.line.type === "retention.release" &&
        by.line.hold === line.hold &&
        (vkey === null || by.vkey === vkey || by.isProven),
    );
    return isReleased ? [] : [line];
  });
}

/** A hold that covers a part of the UTC day in a segment's name: which entries the segment had, its name does not say. */
export function holdOn(file: string, holds: readonly RetentionHold[]): RetentionHold | undefined {
  const start = startOfDay(dayOfSegment(file.slice(file.lastIndexOf("/") + 1)) ?? "");
  if (Number.isNaN(start)) return undefined;
  // A bound that cannot be read is an open one.
  return holds.find(
    ({ from, to }) =>
      !(Date.parse(from ?? "") >= start + DAY_MS) && !(Date.parse(to ?? "") < start),
  );
}
