// States of other writers' streams that a new segment records, so that a deleted stream leaves a
// hole.
import type { SegmentRef } from "../../format/control-line.ts";
import { parseCheckpoint, parseNote, parseVkey, type VerificationKey } from "../../seal/note.ts";
import { fileOfOrigin } from "../../format/origin.ts";
import { type Actor, vouchesFor } from "../../retention/trust.ts";
import { DAY_MS, HOUR_MS } from "../../time.ts";
import type { MarkedState } from "../mark.ts";
import type { Metadata, S3Bucket } from "./bucket.ts";
import { boundsOf, dayOf, isDay, keyAt, parseKey, parseSegmentFileName } from "./keys.ts";
import { mapConcurrently } from "./request.ts";
import { EarlierRuns, OtherSegments } from "./surroundings.ts";
import { FoundObjects, listDay } from "./listing.ts";
import { checkpointOf, parseCommitMetadata } from "./metadata.ts";

/**
 * The past in which other writers are looked for: two pages of a listing at most. In milliseconds.
 */
const LOOK_BACK_MS = [DAY_MS, HOUR_MS, 300_000, 30_000];
const MAX_HEADS = 32;
/** Days with a folder that are tried when no writer has written for a day. */
const MAX_DAYS = 8;
const CONCURRENCY = 16;

/** The writer that is about to record them. */
export interface Recorder {
  readonly stream: string;
  /** Its signing key and those that it trusts; none where nothing is signed. */
  readonly vkeys: readonly string[];
}

/** States of other streams, newest first. */
export interface Witnessed {
  readonly states: readonly SegmentRef[];
  /**
   * Whether no other stream of the present day is among them: no other writer has recorded the days
   * before.
   */
  readonly isFirstOfDay: boolean;
}

/**
 * The latest states known of other streams, newest first. It costs a few listings and at most 32
 * small requests, once for each segment, and so it sees the writers of the last seconds in a busy
 * log and those of a day in a quiet one. When no writer has written for a day, it sees the last day
 * with a segment, so that no past day can vanish unnoticed.
 *
 * A recorded state is evidence against its stream later. So it must be signed, for that very
 * segment, by the recorder's own key or one that it trusts. Without a key the writer of a state is
 * unknown.
 */
export async function latestStates(
  bucket: S3Bucket,
  recorder: Recorder,
  now: number,
): Promise<Witnessed> {
  const today = dayOf(now);
  const near = await statesBefore(bucket, recorder, now);
  const isFirstOfDay = near.every(({ file }) => parseSegmentFileName(file)?.day !== today);
  if (near.length > 0) return { states: near, isFirstOfDay };
  const days = (await Array.fromAsync(bucket.folders())).filter((day) => isDay(day) && day < today);
  // An attacker can put an object into a later day's folder, so a few days are tried.
  for (const day of days.toSorted().toReversed().slice(0, MAX_DAYS)) {
    const states = await statesBefore(bucket, recorder, boundsOf(day).to);
    if (states.length > 0) return { states, isFirstOfDay };
  }
  return { states: [], isFirstOfDay };
}

async function statesBefore(
  bucket: S3Bucket,
  { stream, vkeys }: Recorder,
  time: number,
): Promise<SegmentRef[]> {
  const keys = vkeys.map((vkey) => parseVkey(vkey));
  const heads = await mapConcurrently(
    await newestKeys(bucket, stream, time),
    CONCURRENCY,
    async (object) => ({
      object,
      head: await bucket.head(object),
    }),
  );
  const states = new Map<string, SegmentRef>();
  for (const { object, head } of heads) {
    const state = head && stateIn(head.metadata, parseKey(object)?.day, keys);
    if (!state || state.stream === stream) continue;
    const { file, size, root } = state;
    if (size > (states.get(file)?.size ?? 0)) states.set(file, { file, size, root });
  }
  return [...states.values()];
}

/**
 * The state that an object's metadata proves; undefined when it is not a state of a segment of its
 * day.
 */
function stateIn(
  metadata: Metadata,
  day: string | undefined,
  keys: readonly VerificationKey[],
): (SegmentRef & { readonly stream: string }) | undefined {
  const commit = parseCommitMetadata(metadata);
  const note = commit && parseNote(commit.note);
  const checkpoint = note && parseCheckpoint(note.text);
  if (!checkpoint) return undefined;
  const { origin, size, root } = checkpoint;
  const file = fileOfOrigin(origin);
  const segment = parseSegmentFileName(file);
  if (!segment || segment.day !== day) return undefined;
  const isProven = (key?: VerificationKey): boolean =>
    vouchesFor(key, { origin, note }, { stream: segment.stream, file });
  if (keys.length === 0 ? !isProven() : !keys.some(isProven)) return undefined;
  return { file, size, root, stream: segment.stream };
}

async function newestKeys(bucket: S3Bucket, own: string, now: number): Promise<string[]> {
  const today = dayOf(now);
  const ends = await lastControlKeys(bucket, today, own);
  for (const lookBackMs of LOOK_BACK_MS) {
    const from = now - lookBackMs;
    const keys: string[] = [];
    let pages = 0;
    for (const day of new Set([dayOf(from), today])) {
      for await (const page of bucket.list({
        prefix: `${day}/`,
        after: keyAt(day, Math.max(from, boundsOf(day).from)),
      })) {
        keys.push(...page.map(({ key }) => key).filter((key) => parseKey(key)?.kind === "direct"));
        if ((pages += 1) > 2) break;
      }
    }
    // With more, the newest keys are not among them: read a shorter past.
    if (pages <= 2) return [...keys.toReversed(), ...ends].slice(0, MAX_HEADS);
  }
  return ends.slice(0, MAX_HEADS);
}

/** The last control object of each stream that ended today: they lie apart from the entries. */
async function lastControlKeys(bucket: S3Bucket, day: string, own: string): Promise<string[]> {
  const last = new Map<string, string>();
  const entries = keyAt(day, boundsOf(day).from);
  // A stream's name is random: it usually sorts behind the ids of the day, and sometimes before
  // them.
  for (const after of [undefined, keyAt(day, boundsOf(day).to + 1)]) {
    for await (const page of bucket.list({
      prefix: `${day}/`,
      ...(after !== undefined && { after }),
    })) {
      for (const { key } of page) {
        const parsed = parseKey(key);
        if (parsed?.kind === "control" && parsed.stream !== own) last.set(parsed.stream, key);
      }
      if (last.size >= MAX_HEADS || (after === undefined && (page.at(-1)?.key ?? "") >= entries))
        break;
    }
  }
  return [...last.values()];
}

/**
 * The leaves of a segment that objects hold; null when it is gone, and undefined when its removal is
 * on record, or the bucket's own rule may have removed it.
 */
export async function leavesThere(
  bucket: S3Bucket,
  { file, size, key }: MarkedState,
  {
    actor,
    expiresDays = Infinity,
  }: { readonly actor: Actor; readonly expiresDays?: number | undefined },
): Promise<number | null | undefined> {
  const last = key === undefined ? undefined : await bucket.head(key);
  const commit = last && parseCommitMetadata(last.metadata);
  const checkpoint = commit && checkpointOf(commit);
  if (checkpoint && fileOfOrigin(checkpoint.origin) === file && checkpoint.size >= size)
    return checkpoint.size;
  const day = parseSegmentFileName(file)?.day;
  if (day === undefined || Date.now() - boundsOf(day).from >= expiresDays * DAY_MS)
    return undefined;
  const found = new FoundObjects();
  await found.addDay(bucket, await listDay(bucket, day));
  const objects = found.commits.get(file);
  if (objects) return objects.reduce((most, object) => Math.max(most, object.size), 0);
  const earlier = new EarlierRuns(bucket, new OtherSegments(bucket, actor), actor);
  return (await earlier.removed(file)) ? undefined : null;
}
