// Lines that were written a second time, because the writer could not know how much of the first
// write had reached the disk.
import type { SegmentReport } from "./segment-report.ts";
import type { Problem } from "./verification.ts";

/** The findings about lines that stand in two segments. */
export interface RepeatReport {
  /** Entries that a good checkpoint covers in both. */
  readonly entries: number;
  /** Why the first writes failed: `EIO`. */
  readonly reasons: readonly string[];
  /** Files whose end is superseded by equal lines elsewhere. */
  readonly settled: ReadonlyMap<string, { readonly entries: number; readonly remark: string }>;
  /** Files whose end differs from the other segment's repetition. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>;
}

/** Compares the lines that proven `again` lines announce with those that they supersede. */
export function compareRepeats(reports: readonly SegmentReport[]): RepeatReport {
  const byFile = new Map(reports.map((report) => [report.file, report]));
  const settled = new Map<string, { entries: number; remark: string }>();
  const problems = new Map<string, readonly Problem[]>();
  const reasons = new Set<string>();
  let entries = 0;
  for (const { file: by, isProven, repeats } of reports) {
    for (const { line, hashes } of isProven ? repeats : []) {
      const old = byFile.get(line.file);
      if (old?.superseded === undefined) continue; // no line of the first write is there
      const first = old.superseded.hashes.slice(line.leaf - old.superseded.leaf);
      const isEqual = first.length <= line.count && first.every((hash, at) => hash === hashes[at]);
      if (!isEqual) {
        const message = `from leaf ${line.leaf} on it differs from the repetition in ${by}`;
        problems.set(line.file, [{ state: "FORK", line: 0, message }]);
        continue;
      }
      const twice = Math.max(0, old.sealed.entries - old.superseded.entries);
      entries += twice;
      reasons.add(line.reason);
      const remark = `superseded from leaf ${line.leaf} on: ${by} repeats it after ${line.reason}`;
      settled.set(line.file, { entries: twice, remark });
    }
  }
  return { entries, reasons: [...reasons], settled, problems };
}
