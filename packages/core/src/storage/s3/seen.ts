// What a new segment records of other writers' streams, so that a whole stream that is deleted leaves a hole.
import type { SegmentRef } from "../../integrity/control-line.ts";
import { fileOfOrigin } from "../../integrity/origin.ts";
import type { Bucket } from "./bucket.ts";
import { boundsOf, dayOf, keyAt, parseKey } from "./keys.ts";
import { mapConcurrently } from "./concurrency.ts";
import { checkpointOf, parseCommitMetadata } from "./metadata.ts";

/** How far back to look for other writers: as far as one page of a listing reaches. In milliseconds. */
const LOOK_BACK_MS = [86_400_000, 3_600_000, 300_000, 30_000];
const MAX_HEADS = 32;
const CONCURRENCY = 16;

/**
 * The latest states known of other streams, newest first. It costs a few listings and at most 32 small requests, once
 * for each segment, and so it sees the writers of the last seconds in a busy log and those of a day in a quiet one.
 */
export async function latestStates(bucket: Bucket, own: string, now: number): Promise<SegmentRef[]> {
  const heads = await mapConcurrently(await newestKeys(bucket, own, now), CONCURRENCY, (key) => bucket.head(key));
  const states = new Map<string, SegmentRef>();
  for (const head of heads) {
    const commit = head && parseCommitMetadata(head.metadata);
    const checkpoint = commit && commit.stream !== own ? checkpointOf(commit) : undefined;
    if (!checkpoint) continue;
    const file = fileOfOrigin(checkpoint.origin);
    if (checkpoint.size > (states.get(file)?.size ?? 0)) {
      states.set(file, { file, size: checkpoint.size, root: checkpoint.root });
    }
  }
  return [...states.values()];
}

async function newestKeys(bucket: Bucket, own: string, now: number): Promise<string[]> {
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
    // More than that, and the newest keys are not among them: look at less.
    if (pages <= 2) return [...keys.toReversed(), ...ends].slice(0, MAX_HEADS);
  }
  return ends.slice(0, MAX_HEADS);
}

/** The last control object of each stream that ended today: they lie apart from the entries. */
async function lastControlKeys(bucket: Bucket, day: string, own: string): Promise<string[]> {
  const last = new Map<string, string>();
  for await (const page of bucket.list({ prefix: `${day}/`, after: keyAt(day, boundsOf(day).to + 1) })) {
    for (const { key } of page) {
      const parsed = parseKey(key);
      if (parsed?.kind === "control" && parsed.stream !== own) last.set(parsed.stream, key);
    }
    if (last.size >= MAX_HEADS) break;
  }
  return [...last.values()];
}
