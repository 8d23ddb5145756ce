// Proven records of states: what the first lines of a directory's segments say of other files, as
// far as a trusted key sealed it.
import type { SegmentRef } from "../../format/control-line.ts";
import { segmentDay } from "../../format/segment-name.ts";
import { orUnreadable } from "../read-failure.ts";
import type { Directory, Head, ListedFile } from "./directory.ts";
import { lookOrSkip } from "./settled.ts";

/** The newest files of a day that may have recorded the names which come next. */
const NEWEST = 8;

/**
 * Proven records that may name a file of this day with a higher number than any that is there.
 * Numbers ascend, so the newest files have them, and all files of later days.
 */
export async function refsAhead(
  directory: Directory,
  day: string,
  listed: readonly ListedFile[],
): Promise<SegmentRef[]> {
  if ((listed.at(-1)?.day ?? day) > day) return recordedRefs(directory, day);
  const refs: SegmentRef[] = [];
  for (const { file } of listed.filter((each) => each.day === day).slice(-NEWEST)) {
    const look = await lookOrSkip(directory, file);
    if (look?.isTrusted === true) refs.push(...look.head.refs);
  }
  return refs;
}

/**
 * Proven records of states, of files that are still there or not, in segments of this day and later
 * ones.
 */
export async function recordedRefs(
  directory: Directory,
  since: string = "",
): Promise<SegmentRef[]> {
  const listed = (await directory.list()).filter(({ day }) => day >= since);
  const segments = await proven(directory, await readHeads(directory, listed));
  return segments.flatMap(({ head }) => head.refs);
}

/**
 * Proven records in segments of today, once they are durable: another process may not have synced
 * them yet.
 */
export async function recordedToday(directory: Directory): Promise<SegmentRef[]> {
  const today = segmentDay(new Date());
  const refs: SegmentRef[] = [];
  for (const { file, day } of await directory.list()) {
    if (day < today) continue;
    const head = await directory.head(file);
    if (!head || head.refs.length === 0 || !directory.isTrusted(await directory.seal(file)))
      continue;
    await directory.syncFile(file);
    for (const ref of head.refs) refs.push(ref);
  }
  return refs;
}

/**
 * Segments with a proven first line. A planted line could keep a file from being recorded, and so
 * let it vanish. A segment that is not sealed yet proves nothing.
 */
async function proven(directory: Directory, segments: readonly ReadHead[]): Promise<ReadHead[]> {
  const found = [];
  for (const segment of segments) {
    const { refs } = segment.head;
    if (
      refs.length > 0 &&
      directory.isTrusted(await orUnreadable(directory.seal(segment.listed.file)))
    )
      found.push(segment);
  }
  return found;
}

interface ReadHead {
  readonly listed: ListedFile;
  readonly head: Head;
}

async function readHeads(directory: Directory, files: readonly ListedFile[]): Promise<ReadHead[]> {
  const segments = [];
  for (const listed of files) {
    const head = await orUnreadable(directory.head(listed.file));
    if (head && !head.foreign) segments.push({ listed, head });
  }
  return segments;
}
