// What a new segment records of the other writers' segments, so that a whole deleted stream leaves a hole.
import type { SegmentRef } from "../integrity/control-line.ts";
import { dayOfSegment, segmentDay } from "../integrity/segment-name.ts";
import type { Directory, Head, ListedFile } from "./directory.ts";

/**
 * The latest checkpoint of every other stream's file that no earlier segment has recorded at that very state.
 * `own` is the file being begun.
 */
export async function latestStates(directory: Directory, stream: string, own: string): Promise<SegmentRef[]> {
  const segments = await readHeads(directory, own);
  const recorded = recordedStates(segments);
  const states: SegmentRef[] = [];
  for (const { listed, head } of segments) {
    if (head.stream === stream) continue;
    const known = recorded.get(listed.file);
    // Nobody appends to a segment of an earlier day: what a later day's segment recorded of it is final.
    if (known && known.day > listed.day) continue;
    const ref = (await orUnreadable(directory.tail(listed.file)))?.ref;
    if (!ref || (ref.size === known?.size && !(await isToConfirm(directory, listed, own)))) continue;
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
async function isToConfirm(directory: Directory, { file, day }: ListedFile, own: string): Promise<boolean> {
  if ((dayOfSegment(own) ?? "") <= day) return false;
  return (await orUnreadable(directory.tail(file)))?.closedCalls === undefined;
}

/** Files that segments here refer to, whether they are still there or not. */
export async function recordedFiles(directory: Directory): Promise<string[]> {
  const segments = await readHeads(directory, undefined);
  return segments.flatMap(({ head }) => head.refs.map(({ file }) => file));
}

async function readHeads(directory: Directory, own: string | undefined): Promise<{ listed: ListedFile; head: Head }[]> {
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
function recordedStates(segments: readonly { listed: ListedFile; head: Head }[]): Map<string, Recorded> {
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
