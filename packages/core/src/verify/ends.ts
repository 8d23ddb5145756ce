// The ends of files: a writer's newest segment, a missing one after it, and the meaning of an end
// without its line.
import { dayOfSegment } from "../format/segment-name.ts";
import type { Confirmation } from "./references.ts";
import type { SegmentReport } from "./segment-report.ts";
import { mayBeWritten } from "./segment-time.ts";
import type { FileState, Problem } from "./verification.ts";

/** The streams of a log: the order of one writer's segments, as they record it. */
export class Streams {
  /** By stream: the highest place that a segment has in it. */
  readonly #newest = new Map<string, number>();
  /** Days with a file whose stream is unknown: it may be the missing one. */
  readonly #unclearDays = new Set<string | undefined>();

  constructor(reports: readonly SegmentReport[]) {
    for (const { file, kind, open } of reports) {
      if (open !== undefined)
        this.#newest.set(open.stream, Math.max(open.seq, this.#newest.get(open.stream) ?? 0));
      else if (kind !== "foreign") this.#unclearDays.add(dayOfSegment(file));
    }
  }

  /** Whether the log has no later segment of the same stream. */
  isNewest({ open }: SegmentReport): boolean {
    return open === undefined || this.#newest.get(open.stream) === open.seq;
  }

  /**
   * Whether a segment was ended because the next line did not fit, and the segment with that line,
   * of the same day, is missing. Other reasons (the day's end, the writer's) announce no further
   * segment.
   */
  lacksSuccessor(report: SegmentReport): boolean {
    const { file, open, closedFor } = report;
    if (open === undefined || (closedFor !== "size" && closedFor !== "order")) return false;
    return this.isNewest(report) && !this.#unclearDays.has(dayOfSegment(file));
  }
}

/** The facts for judging the end of a file, beside the file itself. */
export interface EndFacts {
  readonly streams: Streams;
  readonly now: Date;
  /** A later record of this end. */
  readonly confirmation: Confirmation | undefined;
  /** Whether the segment that should follow is missing, or may still arrive. */
  readonly isSuccessorExcused: boolean;
}

/** The judgement on an end. */
export interface EndJudgement {
  readonly state: FileState;
  readonly problems: readonly Problem[];
  readonly remarks: readonly string[];
  /** Whether the file has no end line, as a later day has confirmed: a crash or a cut. */
  readonly isUnclean: boolean;
}

/** Whether a file ends in bytes without a seal. */
export function hasTail({ problems }: SegmentReport): boolean {
  return problems.some(isTail);
}

function isTail({ state }: Problem): boolean {
  return state === "TORN_TAIL" || state === "UNSEALED_TAIL";
}

/**
 * Judges the end of a file. `problems` are those of the file itself, without records in other
 * files.
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

/** States of a file whose end has no meaning. */
const STOPS: ReadonlySet<FileState> = new Set(["TAMPERED", "MISSING", "UNREADABLE"]);

function unclosed(message: string): Problem {
  return { state: "UNCLOSED", line: 0, message };
}

/**
 * A later proven record that names the tail's bytes settles it: a crash left those bytes, or none,
 * and any others were added since.
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
