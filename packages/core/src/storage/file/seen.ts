// What a new segment records of the other writers' segments, so that a whole deleted stream leaves a hole.
import type { SegmentRef } from "../../format/control-line.ts";
import { dayOfSegment, segmentDay } from "../../format/segment-name.ts";
import type { Directory, Head, ListedFile } from "./directory.ts";

/** More are left to the segments after this one: the first line stays within `MAX_FIRST_LINE_BYTES`. */
export const MAX_STATES: number = 50_000;

/**
 * The latest checkpoint of every other stream's file that no earlier segment has recorded at that very state.
 * `own` is the file being begun, and `room` how many states it can take.
 */
export async function latestStates(
  directory: Directory,
  stream: string,
  own: string,
  room: number = MAX_STATES,
): Promise<SegmentRef[]> {
  const segments = await readHeads(directory, own);
  const recorded = recordedStates(await proven(directory, segments));
  const states: SegmentRef[] = [];
  for (const { listed, head } of segments) {
    if (states.length >= room) break;
    if (head.stream === stream) continue;
    const known = recorded.get(listed.file);
    // Nobody appends to a segment of an earlier day: what a later day's segment recorded of it is final.
    if (known && known.day > listed.day) continue;
    const isRecorded = async (size: number | undefined): Promise<boolean> =>
      size !== undefined && size === known?.size && !(await isToConfirm(directory, listed, own));
    // What the last line claims tells only whether to look further: nothing is recorded by it.
    if (await isRecorded((await orUnreadable(directory.tail(listed.file)))?.ref.size)) continue;
    const ref = await orUnreadable(directory.stateToRecord(listed.file));
    if (!ref || (await isRecorded(ref.size))) continue;
    // Another process may not have synced yet: what is recorded here must survive the power cut that we survive.
    if (listed.day === segmentDay(new Date())) await orUnreadable(directory.settle(listed.file));
    states.push(ref);
  }
  return states;
}

/**
 * What was recorded on a file's own day may have been short of its end. So the end of one without `segment.close` is
 * recorded once more when that day is over: only that tells a crash from a later cut.
 */
async function isToConfirm(
  directory: Directory,
  { file, day }: ListedFile,
  own: string,
): Promise<boolean> {
  if ((dayOfSegment(own) ?? "") <= day) return false;
  return (await orUnreadable(directory.tail(file)))?.closedCalls === undefined;
}

/** States that segments here record of others, whether these are still there or not, as far as the records are proven. */
export async function recordedRefs(directory: Directory): Promise<SegmentRef[]> {
  const segments = await proven(directory, await readHeads(directory, undefined));
  return segments.flatMap(({ head }) => head.refs);
}

/**
 * Those whose first line is proven: a planted one could keep a file from being recorded, and so let it vanish. One that
 * is not sealed yet vouches for nothing yet.
 */
async function proven(directory: Directory, segments: readonly ReadHead[]): Promise<ReadHead[]> {
  const found = [];
  for (const segment of segments) {
    const { refs } = segment.head;
    if (
      refs.length > 0 &&
      directory.trusts(await orUnreadable(directory.seal(segment.listed.file)))
    )
      found.push(segment);
  }
  return found;
}

interface ReadHead {
  readonly listed: ListedFile;
  readonly head: Head;
}

async function readHeads(directory: Directory, own: string | undefined): Promise<ReadHead[]> {
  const segments = [];
  for (const listed of await directory.list()) {
    const head = listed.file === own ? undefined : await orUnreadable(directory.head(listed.file));
    if (head && !head.foreign) segments.push({ listed, head });
  }
  return segments;
}

/** Another's file that cannot be read must not keep this process from logging; the verifier will report the file. */
function orUnreadable<T>(read: Promise<T>): Promise<T | undefined> {
  return read.catch(() => undefined);
}

/** By file: the largest size recorded, and the day of the newest segment that recorded it. */
function recordedStates(segments: readonly ReadHead[]): Map<string, Recorded> {
  const recorded = new Map<string, Recorded>();
  for (const { listed, head } of segments) {
    for (const { file, size } of head.refs) {
      const known = recorded.get(file);
      recorded.set(file, {
        size: Math.max(size, known?.size ?? 0),
        day: known && known.day > listed.day ? known.day : listed.day,
      });
    }
  }
  return recorded;
}

interface Recorded {
  readonly size: number;
  readonly day: string;
}
