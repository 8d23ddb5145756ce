// Calls that began and have no entry.
import type { SegmentReport } from "./segment-report.ts";
import type { UnendedCalls } from "./verification.ts";

/** Number of ids that are given. */
const NAMED = 10;

/** Joins the calls that proven segments began with the entries that ended them. */
export function findUnendedCalls(
  reports: readonly SegmentReport[],
  isOpen: (report: SegmentReport) => boolean,
  isAtLeast: boolean,
): UnendedCalls {
  const ended = new Set(reports.flatMap(({ callsEnded }) => callsEnded));
  const first: string[] = [];
  let neverEnded = 0;
  let underWay = 0;
  for (const report of reports) {
    if (!report.isProven || report.callsBegun.length === 0) continue;
    const isUnderWay = isOpen(report);
    for (const call of report.callsBegun) {
      if (ended.has(call)) continue;
      if (isUnderWay) underWay += 1;
      else neverEnded += 1;
      if (!isUnderWay && first.length < NAMED) first.push(call);
    }
  }
  return { neverEnded, underWay, isAtLeast, first };
}
