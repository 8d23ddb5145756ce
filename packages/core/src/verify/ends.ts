// The ends of files: which segment is a writer's newest, whether one is lacking after it, and what
// a bare end means.
import { dayOfSegment } from "../format/segment-name.ts";
import type { Confirmation } from "./references.ts";
import type { SegmentReport } from "./segment-report.ts";
import { mayBeWritten } from "./segment-time.ts";
import type { FileState, Problem } from "./verification.ts";

/** The streams of a log: what the segments of one writer say about each other's order. */
export class Streams {
  /** By stream: the highest place that a segment has in it. */
  readonly #newest = new Map<string, number>();
  /** Days with a file whose stream is not known: it may be the one that is looked for. */
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
   * Whether a segment was ended because the next line did not fit into it, and the one with that
   * line, of the same day, is not there. Other reasons (the day's end, the writer's) announce
   * nothing.
   */
  lacksSuccessor(report: SegmentReport): boolean {
    const { file, open, closedFor } = report;
    if (open === undefined || (closedFor !== "size" && closedFor !== "order")) return false;
    return this.isNewest(report) && !this.#unclearDays.has(dayOfSegment(file));
  }
}

/** The facts that the end of a file is judged by, beside the file. */
export interface EndFacts {
  readonly streams: Streams;
  readonly now: Date;
  /** A later record of this end. */
  readonly confirmation: Confirmation | undefined;
  /** Whether the segment that should follow may be gone, or on its way. */
  readonly isSuccessorExcused: boolean;
}

/** The judgement on an end. */
export interface EndJudgement {
  readonly state: FileState;
  readonly problems: readonly Problem[];
  readonly remarks: readonly string[];
  /** Whether the file ended without its end, as a later day has confirmed: a crash or a cut. */
  readonly isUnclean: boolean;
}

/** Whether a file ends in something that nothing seals. */
export function hasTail({ problems }: SegmentReport): boolean {
  return problems.some(isTail);
}

function isTail({ state }: Problem): boolean {
  return state === "TORN_TAIL" || state === "UNSEALED_TAIL";
}

/**
 * Judges the end of a file. `problems` are those of the file itself, without what others say of it.
 */
export function judgeEnd(report: SegmentReport, facts: EndFacts): EndJudgement {
  const { kind, isClosed, problems, sealed } = report;
  const { streams, now, confirmation } = facts;
  const settled = settleTail(report, confirmation);
  const isAltered = problems.some(({ state }) => STOPS.has(state));
  const found = (state: FileState, more: Partial<EndJudgement> = {}): EndJudgement => ({
    state,
    problems: settled.problems,
    remarks: settled.remarks,
    isUnclean: false,
    ...more,
  });
  if (kind !== "segment" || isAltered || settled.problems.some(isTail)) return found("OK");
  if (isClosed) {
    if (!streams.lacksSuccessor(report) || facts.isSuccessorExcused) return found("OK");
    const message = `ended for ${report.closedFor}, but the segment that followed is not there: a crash or a cut`;
    return found("UNCLOSED", { problems: [...settled.problems, unclosed(message)] });
  }
  if (streams.isNewest(report) && mayBeWritten(report.file, now)) return found("OPEN");
  if (confirmation === undefined) {
    const message = "no end, and nothing later confirms this one: a crash or a cut";
    return found("UNCLOSED", { problems: [...settled.problems, unclosed(message)] });
  }
  const { by, isPrev } = confirmation;
  const at = `${sealed.size} ${sealed.size === 1 ? "leaf" : "leaves"}`;
  const remark = isPrev
    ? `without its end: its writer went on in ${by} after a failed write`
    : `without its end (crash or cut) at ${at}, as ${by} recorded on a later day`;
  return found("OK", { isUnclean: !isPrev, remarks: [...settled.remarks, remark] });
}

/** States of a file whose end says nothing. */
const STOPS: ReadonlySet<FileState> = new Set(["TAMPERED", "MISSING", "UNREADABLE"]);

function unclosed(message: string): Problem {
  return { state: "UNCLOSED", line: 0, message };
}

/**
 * A tail is settled by a later proven record that names its bytes: those bytes, or none, are what a
 * crash left, and any others were put there since.
 */
function settleTail(
  { problems, tail }: SegmentReport,
  confirmation: Confirmation | undefined,
): { readonly problems: readonly Problem[]; readonly remarks: readonly string[] } {
  const recorded = confirmation?.isProven === true ? confirmation.tail : undefined;
  if (recorded === undefined || !problems.some(isTail)) return { problems, remarks: [] };
  const others = problems.filter((problem) => !isTail(problem));
  const by = confirmation?.by ?? "";
  if (tail?.bytes === recorded.bytes && tail.sha256 === recorded.sha256) {
    const remark = `${recorded.bytes} bytes behind its last checkpoint were never sealed, as ${by} records`;
    return { problems: others, remarks: [remark] };
  }
  const message = `the bytes behind the last checkpoint are not the ${recorded.bytes} that ${by} records`;
  return { problems: [...others, { state: "TAMPERED", line: 0, message }], remarks: [] };
}
