// Witnessed states: segments record the latest checkpoints of other writers' files, so that a
// deleted stream leaves a hole.
import type { SegmentRef } from "../../format/control-line.ts";
import { LineSplitter } from "../../format/lines.ts";
import { dayOfSegment, segmentDay, startOfDay } from "../../format/segment-name.ts";
import { emptyRoot } from "../../seal/merkle.ts";
import type { Directory, Head, ListedFile } from "./directory.ts";

/** States in one first line, which so stays within 16 MiB. Later segments record the rest. */
export const MAX_STATES: number = 50_000;

/** The files to look at. */
export interface LookOptions {
  /** The number of states that fit into the segment. @default MAX_STATES */
  readonly room?: number;
  /**
   * Files of earlier days that were written late. They are looked at instead of those of the last
   * days.
   */
  readonly late?: readonly ListedFile[];
}

/**
 * The latest checkpoint of every other stream's file, unless an earlier segment has recorded it at
 * the same size. `own` is the file being begun. Only its day and the last one before it with a
 * segment are looked at: the first segment of that day has recorded all files before it. So a start
 * does not take longer with the age of the log.
 */
export async function latestStates(
  directory: Directory,
  stream: string,
  own: string,
  { room = MAX_STATES, late }: LookOptions = {},
): Promise<SegmentRef[]> {
  const all = await directory.list();
  const since = lastDayBefore(all, own);
  const recent = all.filter(({ file, day }) => day >= since && file !== own);
  const segments = await readHeads(directory, [...(late ?? []), ...recent]);
  const looked = new Set(late?.map(({ file }) => file));
  const recorded = recordedStates(await proven(directory, segments));
  const states: SegmentRef[] = [];
  for (const { listed, head } of segments) {
    if (states.length >= room) break;
    if (head.stream === stream || (late && !looked.has(listed.file))) continue;
    const known = recorded.get(listed.file);
    // Nobody appends to a segment of an earlier day: a state recorded on a later day is final.
    if (known && known.day > listed.day) continue;
    const isRecorded = async (size: number | undefined): Promise<boolean> =>
      size !== undefined && size === known?.size && !(await isToConfirm(directory, listed, own));
    // The last line is a claim: it only decides whether to look further, and is never recorded.
    if (await isRecorded((await orUnreadable(directory.tail(listed.file)))?.ref.size)) continue;
    const found = await orUnreadable(stateWithTail(directory, listed, own));
    if (!found || (await isRecorded(found.size))) continue;
    // Another process may not have synced yet: a recorded state must survive the same power cut as
    // its record.
    if (listed.day === segmentDay(new Date())) await orUnreadable(directory.syncFile(listed.file));
    states.push(found);
  }
  for (const listed of recent) {
    if (states.length >= room) break;
    if (recorded.has(listed.file)) continue;
    const stub = await orUnreadable(stubToRecord(directory, listed, own));
    if (stub) states.push(stub);
  }
  return states;
}

/**
 * A file of an earlier day without one whole line: its writer was killed before its first commit
 * was there. Nothing is sealed in it, and its bytes are recorded. Undefined for any other file.
 */
async function stubToRecord(
  directory: Directory,
  { file, day }: ListedFile,
  own: string,
): Promise<SegmentRef | undefined> {
  if ((dayOfSegment(own) ?? "") <= day || (await directory.head(file)) !== undefined)
    return undefined;
  const isUnderWay = (await directory.modified(file)) > Date.now() - GRACE_MS;
  const tail = isUnderWay ? undefined : await directory.tailFrom(file, 0);
  return tail && { file, size: 0, root: emptyRoot().toString("base64"), tail };
}

/**
 * The state of a file, and on a later day the bytes behind its last checkpoint: what a crash left is
 * settled so. Undefined while those bytes may still be on their way: a commit that midnight found
 * under way. The next segment records the file then.
 */
async function stateWithTail(
  directory: Directory,
  { file, day }: ListedFile,
  own: string,
): Promise<SegmentRef | undefined> {
  const state = await directory.stateToRecord(file);
  if (!state || (dayOfSegment(own) ?? "") <= day) return state?.ref;
  const tail = await directory.tailFrom(file, state.end);
  if (!tail || tail.bytes === 0) return state.ref;
  const isUnderWay = (await directory.modified(file)) > Date.now() - GRACE_MS;
  return isUnderWay ? undefined : { ...state.ref, tail };
}

/** A commit takes minutes at most. */
const GRACE_MS = 5 * 60_000;

/**
 * The leaves of a stream's segment that a checkpoint covers; null when it is gone, and undefined
 * when a line says that it was removed or shipped. Whether that line counts is for the verifier to
 * judge.
 */
export async function leavesThere(
  directory: Directory,
  { file, stream }: { readonly file: string; readonly stream: string },
): Promise<number | null | undefined> {
  const head = await directory.head(file);
  if (head?.stream === stream) return (await directory.stateToRecord(file))?.ref.size ?? 0;
  if (head === undefined && (await directory.sizeOf(file)) !== undefined) return 0;
  const records = ["retention.prune", "retention.archived"].map(
    (type) => `{"type":"${type}","file":${JSON.stringify(file)}`,
  );
  const since = dayOfSegment(file) ?? "";
  for (const listed of await directory.list()) {
    if (listed.day < since) continue;
    const lines = new LineSplitter();
    let isRecorded = false;
    for await (const chunk of directory.chunks(listed.file)) {
      for (const { bytes, start, end } of lines.push(chunk))
        isRecorded ||= records.some((record) => bytes.subarray(start, end).includes(record));
      if (isRecorded) return undefined;
    }
  }
  return null;
}

/**
 * A state recorded on a file's own day may be short of its end. So the end of a file without
 * `segment.close` is recorded once more when that day is over: only this tells a crash from a later
 * cut.
 */
async function isToConfirm(
  directory: Directory,
  { file, day }: ListedFile,
  own: string,
): Promise<boolean> {
  if ((dayOfSegment(own) ?? "") <= day) return false;
  return (await orUnreadable(directory.tail(file)))?.closedCalls === undefined;
}

/**
 * Files of earlier days that were written since the last day with a segment began: imported ones,
 * say. No later segment may have recorded them.
 */
export async function lateFiles(directory: Directory, own: string): Promise<ListedFile[]> {
  const all = await directory.list();
  const since = lastDayBefore(all, own);
  const late: ListedFile[] = [];
  for (const listed of all) {
    if (listed.day >= since) break;
    if ((await directory.modified(listed.file)) >= startOfDay(since)) late.push(listed);
  }
  return late;
}

/**
 * The last day before that of a file on which a segment was begun; its own day where there is none.
 */
function lastDayBefore(listed: readonly ListedFile[], own: string): string {
  const today = dayOfSegment(own) ?? "";
  return listed.findLast(({ day }) => day < today)?.day ?? today;
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
 * let it vanish. A segment that is not sealed yet vouches for nothing.
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

/**
 * An unreadable file of another writer must not stop this one from logging; the verifier will
 * report the file.
 */
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
