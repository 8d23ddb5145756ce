// What the segments of one writer say about each other's order: which is its newest, and whether one is lacking after it.
import { dayOfSegment } from "../format/segment-name.ts";
import type { SegmentReport } from "./segment-report.ts";

/** The streams of a log. */
export class Streams {
  /** By stream: the highest place that a segment has in it. */
  readonly #newest = new Map<string, number>();
  /** Days with a file whose stream is not known: it may be what is looked for. */
  readonly #unclearDays = new Set<string | undefined>();

  constructor(reports: readonly SegmentReport[]) {
    for (const { file, kind, open } of reports) {
      if (open !== undefined)
        this.#newest.set(open.stream, Math.max(open.seq, this.#newest.get(open.stream) ?? 0));
      else if (kind !== "foreign") this.#unclearDays.add(dayOfSegment(file));
    }
  }

  /** Whether no later segment of the same stream is there. */
  isNewest({ open }: SegmentReport): boolean {
    return open === undefined || this.#newest.get(open.stream) === open.seq;
  }

  /**
   * Whether a segment was ended because the next line did not fit into it, and the one with that line, of the same
   * day, is not there. Other reasons (the day's end, the writer's) announce nothing.
   */
  lacksSuccessor(report: SegmentReport): boolean {
    const { file, open, closedFor } = report;
    if (open === undefined || (closedFor !== "size" && closedFor !== "order")) return false;
    return this.isNewest(report) && !this.#unclearDays.has(dayOfSegment(file));
  }
}
