// What segments that are about to go record of files that stay. Were it lost with them, nobody could tell any more
// whether such a file was cut off or taken away.
import type { SegmentRef } from "../../format/control-line.ts";
import { dayOfSegment, segmentDay } from "../../format/segment-name.ts";
import type { Directory } from "./directory.ts";

/** What is known of the files that are about to go. */
export interface Going {
  readonly files: ReadonlySet<string>;
  /** Whether a file that is not there any more must stay on record, by the day in its name. */
  readonly isMissed: (day: string) => boolean;
}

/**
 * The states to record before these files go: the largest that they record of each file that stays. What a segment of
 * today records is on record already: nobody removes it. What any other segment that stays records may go meanwhile with
 * another process's clean-up, which counts on these files.
 */
export async function soleRecords(
  directory: Directory,
  { files, isMissed }: Going,
): Promise<SegmentRef[]> {
  const there = new Set((await directory.list()).map(({ file }) => file));
  const states = new Map<string, SegmentRef[]>();
  for (const file of files) {
    const head = await directory.head(file);
    if (!head || head.refs.length === 0 || !directory.trusts(await directory.seal(file))) continue; // proven to be nobody's
    for (const ref of head.refs) {
      if (ref.size === 0 || files.has(ref.file)) continue;
      if (there.has(ref.file) || isMissed(dayOfSegment(ref.file) ?? "")) addLargest(states, ref);
    }
  }
  if (states.size === 0) return [];
  for (const ref of await refsOfToday(directory, [...there])) {
    const isCovered = ({ size, root }: SegmentRef): boolean =>
      size < ref.size || (size === ref.size && root === ref.root);
    states.set(
      ref.file,
      (states.get(ref.file) ?? []).filter((state) => !isCovered(state)),
    );
  }
  return [...states.values()].flat();
}

/** Of each file the largest states. Two roots of one size are two histories: both are evidence. */
export function largestStates(refs: readonly SegmentRef[]): SegmentRef[] {
  const states = new Map<string, SegmentRef[]>();
  for (const ref of refs) addLargest(states, ref);
  return [...states.values()].flat();
}

function addLargest(states: Map<string, SegmentRef[]>, ref: SegmentRef): void {
  const known = states.get(ref.file) ?? [];
  const largest = Math.max(ref.size, ...known.map(({ size }) => size));
  const isKnown = known.some(({ size, root }) => size === ref.size && root === ref.root);
  states.set(
    ref.file,
    [...known, ...(isKnown ? [] : [ref])].filter(({ size }) => size === largest),
  );
}

/** What proven segments of today record, once that is durable: another process may not have synced it yet. */
async function refsOfToday(directory: Directory, files: readonly string[]): Promise<SegmentRef[]> {
  const today = segmentDay(new Date());
  const refs: SegmentRef[] = [];
  for (const file of files) {
    if ((dayOfSegment(file) ?? "") < today) continue;
    const head = await directory.head(file);
    if (!head || head.refs.length === 0 || !directory.trusts(await directory.seal(file))) continue;
    await directory.settle(file);
    refs.push(...head.refs);
  }
  return refs;
}
