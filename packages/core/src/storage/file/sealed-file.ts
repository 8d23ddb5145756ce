// Whether a file of a directory is what was sealed, and what our log recorded of it: before it is removed, or given away.
import type { SegmentRef } from "../../format/control-line.ts";
import type { SegmentReport } from "../../verify/segment-report.ts";
import type { Directory, Head } from "./directory.ts";
import { checkSegment, isSound } from "../../retention/trust.ts";

/** What a file proves, read through. */
export interface SealedFile {
  /** The state that is sealed in it; undefined when that is none. */
  readonly ref: SegmentRef | undefined;
  /** Whether what is sealed in it is unaltered and agrees with what was recorded. */
  readonly isSound: boolean;
  /** Whether our own key sealed it, or, without one, anybody's did. */
  readonly isOurs: boolean;
  readonly report: SegmentReport;
}

/**
 * Reads a segment through, by `chunks` where somebody else looks at them too. `recorded`: states of it that our log
 * vouches for.
 */
export async function readSealed(
  directory: Directory,
  file: string,
  { vkey }: Head,
  recorded: readonly SegmentRef[],
  chunks: AsyncIterable<Buffer> = directory.chunks(file),
): Promise<SealedFile> {
  const report = await checkSegment(file, vkey, chunks, new Set(recorded.map(({ size }) => size)));
  const { sealed } = report;
  const isAsRecorded = agreesWith(report, recorded);
  if (sealed.size === 0) {
    const isTampered = report.problems.some(({ state }) => state === "TAMPERED");
    const diedEarly = report.kind === "segment" && !report.broken && !isTampered;
    return { ref: undefined, isSound: diedEarly && isAsRecorded, isOurs: false, report };
  }
  const isWhole = isSound(report);
  return {
    ref: { file, size: sealed.size, root: sealed.root },
    isSound: isWhole && isAsRecorded,
    isOurs: isWhole && directory.trusts({ vkey }),
    report,
  };
}

/** Whether a segment has every state recorded of it. The report must have been asked for the roots at their sizes. */
export function agreesWith({ roots }: SegmentReport, recorded: readonly SegmentRef[]): boolean {
  return recorded.every(({ size, root }) => size === 0 || roots.get(size) === root);
}
