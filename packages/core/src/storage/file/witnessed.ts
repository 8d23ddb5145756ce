// Witnessed states: segments record the latest checkpoints of other writers' files, so that a
// deleted stream leaves a hole.
import type { SegmentRef, SettledFiles } from "../../format/control-line.ts";
import { LineSplitter } from "../../format/lines.ts";
import { dayOfSegment, segmentDay, startOfDay } from "../../format/segment-name.ts";
import { emptyRoot } from "../../seal/merkle.ts";
import { orUnreadable } from "../read-failure.ts";
import { type Directory, type ListedFile, type Look, PIECE_BYTES } from "./directory.ts";
import { type LookAtFile, lookOrSkip, Settled } from "./settled.ts";

/** States in one first line, which thus stays within 16 MiB. Later segments record the rest. */
export const MAX_STATES: number = 50_000;
/** Files that are read before a process's first entry. Others wait until after it. */
export const FIRST_LOOKS: number = 48;
/** Bytes of files that are checked whole before a first commit. */
const FIRST_BYTES = 512 * 1024;
/** After a first commit a file of up to these bytes is checked whole, and so may be settled. */
const LATER_BYTES = 1024 * 1024;

/** Writers that may begin a segment at the same time, one after the other. */
const NEWEST = 8;

/** The files to read. */
export interface LookOptions {
  /** The number of states that fit into the segment. @default MAX_STATES */
  readonly room?: number;
  /** Whether a first entry waits: no more than `FIRST_LOOKS` files are looked at. */
  readonly isFirst?: boolean;
  /** The files to record. @default those of the last two days with a segment */
  readonly only?: readonly ListedFile[];
}

/** States and lists to seal in a first line. */
export interface LatestStates {
  readonly states: readonly SegmentRef[];
  readonly settled: readonly SettledFiles[];
  /** Files left for later, to be read after the first commit. */
  readonly rest: readonly ListedFile[];
}

/**
 * The latest checkpoint of every other stream's file, unless an earlier segment has recorded it at
 * the same size. `own` is the file being begun. Only its day and the last one before it with a
 * segment are looked at: the first segment of that day has recorded all files before it. Of these,
 * settled files are not looked at. So a start does not take longer with the age of the log, or
 * with the number of its files.
 */
export async function latestStates(
  directory: Directory,
  stream: string,
  own: string,
  listed: readonly ListedFile[],
  { room = MAX_STATES, isFirst = false, only }: LookOptions = {},
): Promise<LatestStates> {
  const since = lastDayBefore(listed, own);
  const recent = listed.filter(({ file, day }) => day >= since && file !== own);
  const lookOnce = isFirst ? lookSparingly(directory) : lookWhole(directory);
  const wanted = only && new Set(only.map(({ file }) => file));
  const settled = await Settled.read(directory, recent.slice(-FIRST_LOOKS), lookOnce);
  const open = recent.filter((each) => !settled.has(each) && wanted?.has(each.file) !== true);
  const rest = isFirst ? open.slice(0, -FIRST_LOOKS) : [];
  const now = [...(only ?? []), ...open.slice(rest.length)];
  const segments = await lookAt(now, lookOnce);
  const recorded = recordedStates(segments);
  const states = new Map<string, SegmentRef>();
  const unsettled = new Set(now.map(({ file }) => file));
  const left = new Set(rest.map(({ file }) => file));
  for (const { listed: each, look } of segments) {
    const { file, day } = each;
    if (states.size >= room) break;
    const known = recorded.get(file);
    // No writer appends to a segment of an earlier day: a state recorded on a later day is final.
    const isFinal = known !== undefined && known.day > day;
    if (!isFinal && look.head.stream !== stream && wanted?.has(file) !== false) {
      const state = await stateToRecord(directory, each, look, known?.ref, own);
      if (state) states.set(file, state);
    }
    const isRecorded = isSameState(states.get(file) ?? known?.ref, look.ref);
    if (isFinal || (isRecorded && look.wholeBytes !== undefined && look.isEnded)) {
      // The newest record of a file that is read again must be found again: here, unless this
      // segment repeats it.
      const { refs } = look.head;
      const needed = refs.filter(
        (ref) =>
          recorded.get(ref.file)?.by === file &&
          !states.has(ref.file) &&
          (unsettled.has(ref.file) || (refs.length > NEWEST && left.has(ref.file))),
      );
      if (needed.length > NEWEST || refs.some((ref) => ref.file < `audit_${since}`)) continue;
      for (const ref of needed) states.set(ref.file, ref);
      settled.add(each);
      unsettled.delete(file);
    }
  }
  const segmentFiles = new Set(segments.map((each) => each.listed.file));
  for (const each of now) {
    if (states.size >= room) break;
    if (recorded.has(each.file) || segmentFiles.has(each.file)) continue;
    const stub = await orUnreadable(stubToRecord(directory, each, own));
    if (stub) states.set(each.file, stub);
  }
  return {
    states: [...states.values()],
    settled: await settled.toSeal(directory, since),
    rest,
  };
}

/** The state of a file to record; undefined when that is on record. */
async function stateToRecord(
  directory: Directory,
  listed: ListedFile,
  look: Look,
  known: SegmentRef | undefined,
  own: string,
): Promise<SegmentRef | undefined> {
  const { file, day } = listed;
  // The end of a file without `segment.close` is recorded once more when its day is over: only this
  // distinguishes a crash from a later cut.
  const isToConfirm = !look.isEnded && (dayOfSegment(own) ?? "") > day;
  // The last line is a claim: it only decides whether to look further, and is never recorded.
  if (!isToConfirm && isSameState(look.ref, known)) return undefined;
  const ref =
    look.wholeBytes !== undefined
      ? look.ref
      : await orUnreadable(stateWithTail(directory, listed, own));
  if (!ref || (!isToConfirm && isSameState(ref, known))) return undefined;
  // Another process may not have synced yet: a recorded state must survive the same power cut as
  // its record.
  if (day === segmentDay(new Date())) await orUnreadable(directory.syncFile(file));
  return ref;
}

function isSameState(a: SegmentRef | undefined, b: SegmentRef | undefined): boolean {
  return a !== undefined && a.size === b?.size && a.root === b.root;
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
 * The state of a file, and on a later day the bytes behind its last checkpoint: this settles the
 * bytes that a crash left. Undefined while those bytes may still be written, by a commit in
 * progress at midnight. The next segment records the file then.
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
 * Files of earlier days that were written since the last day with a segment began: for example
 * imported ones. Possibly no later segment has recorded them. Looks at every earlier file: stops
 * once `isWanted` says no, so that a short process does not pay for a large directory.
 */
export async function lateFiles(
  directory: Directory,
  own: string,
  listed: readonly ListedFile[],
  isWanted: () => boolean = () => true,
): Promise<ListedFile[]> {
  const since = lastDayBefore(listed, own);
  const late: ListedFile[] = [];
  for (const each of listed) {
    if (each.day >= since || !isWanted()) break;
    if ((await directory.modified(each.file)) >= startOfDay(since)) late.push(each);
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

interface LookedAt {
  readonly listed: ListedFile;
  readonly look: Look;
}

async function lookAt(
  files: readonly ListedFile[],
  look: LookAtFile,
): Promise<readonly LookedAt[]> {
  const segments: LookedAt[] = [];
  for (const listed of files) {
    const seen = await look(listed.file);
    if (seen && seen.head.stream !== "") segments.push({ listed, look: seen });
  }
  return segments;
}

/** Reads each file once. Checks files whole while their bytes are within the limit. */
function lookSparingly(directory: Directory): LookAtFile {
  const looks = new Map<string, Look | undefined>();
  let room = FIRST_BYTES;
  return async (file) => {
    if (!looks.has(file)) {
      const isKnown = directory.hasLookedAt(file);
      const look = await lookOrSkip(directory, file, Math.max(room / 2, PIECE_BYTES));
      if (!isKnown) room -= look?.wholeBytes ?? 0;
      looks.set(file, look);
    }
    return looks.get(file);
  };
}

function lookWhole(directory: Directory): LookAtFile {
  return (file) => lookOrSkip(directory, file, LATER_BYTES);
}

/**
 * By file: the largest state on record, and where it is. A planted line could keep a file from
 * being recorded, and so let it vanish: a segment without a trusted seal proves nothing.
 */
function recordedStates(segments: readonly LookedAt[]): ReadonlyMap<string, Recorded> {
  const recorded = new Map<string, Recorded>();
  for (const { listed, look } of segments) {
    if (!look.isTrusted) continue;
    for (const ref of look.head.refs) {
      const known = recorded.get(ref.file);
      const isNewest = known === undefined || ref.size >= known.ref.size;
      recorded.set(ref.file, {
        ref: isNewest ? ref : known.ref,
        by: isNewest ? listed.file : known.by,
        day: known && known.day > listed.day ? known.day : listed.day,
      });
    }
  }
  return recorded;
}

interface Recorded {
  readonly ref: SegmentRef;
  /** The file that has the record. */
  readonly by: string;
  /** The day of the newest segment with a record. */
  readonly day: string;
}
