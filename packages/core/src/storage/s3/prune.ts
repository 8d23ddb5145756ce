// Retention in a bucket: whole UTC days go, after a durable record of every segment that goes with them.
import { AuditWriteError } from "../../errors.ts";
import { retentionPrune } from "../../integrity/control-line.ts";
import { fileOfOrigin } from "../../integrity/origin.ts";
import { describeHold, type Holds } from "../holds.ts";
import type { ExpiredPart, PruneOptions, PruneResult } from "../storage.ts";
import type { Bucket } from "./bucket.ts";
import { mapInOrder } from "./concurrency.ts";
import { listDay } from "./day.ts";
import { readBucketHolds } from "./holds.ts";
import { boundsOf, isDay } from "./keys.ts";
import { checkpointOf, parseCommitMetadata, parseShippedMetadata } from "./metadata.ts";

const HEADS_AHEAD = 32;

/** A day past retention, and what the record of its removal needs. */
interface ExpiredDay {
  readonly day: string;
  readonly keys: readonly string[];
  readonly entries: number;
  readonly segments: ReadonlyMap<string, SegmentState>;
}

interface SegmentState {
  readonly leaves: number;
  readonly root: string;
}

/** The writer on whose behalf days are removed. */
export interface BucketRemover {
  readonly append: (line: string) => Promise<void>;
  /** Its key; undefined when it does not sign. */
  readonly vkey: string | undefined;
}

/** Removes days that ended before `before`; never the present one. */
export async function pruneBucket(
  bucket: Bucket,
  { before, policy, actor, dryRun, now, onProgress = () => undefined }: PruneOptions,
  { append, vkey }: BucketRemover,
): Promise<PruneResult> {
  const limit = Math.min(before, now);
  const days = (await Array.fromAsync(bucket.folders())).filter((day) => isDay(day) && boundsOf(day).to < limit);
  const result = {
    entries: 0,
    files: new Array<string>(),
    held: new Array<string>(),
    expired: new Array<ExpiredPart>(),
  };
  const holds = days.length > 0 ? await readBucketHolds(bucket, vkey) : undefined;
  // One day after the other: a run that breaks off has removed the oldest days, and the next one goes on.
  for (const [at, day] of days.toSorted().entries()) {
    onProgress(at / days.length);
    const { from, to } = boundsOf(day);
    const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    const reason = holds && whyHeld(holds, day);
    if (reason !== undefined) {
      result.held.push(`${day}/`);
      result.expired.push({ file: `${day}/`, entries: null, ...range, fate: "held", reason });
      continue;
    }
    const expired = await examine(bucket, day);
    if (!dryRun) {
      const lines = [...expired.segments].map(([file, { leaves, root }]) =>
        retentionPrune({ file, leaves, root, ...range, policy, actor }),
      );
      await Promise.all(lines.map(append));
      await remove(bucket, expired);
    }
    result.entries += expired.entries;
    result.files.push(...expired.keys);
    result.expired.push({ file: `${day}/`, entries: expired.entries, ...range, fate: "removed" });
  }
  return result;
}

/** Why a day stays: an active hold covers a part of it or stands in it, or its release does. Undefined when it goes. */
function whyHeld({ active, releases }: Holds, day: string): string | undefined {
  const { from, to } = boundsOf(day);
  const isOfDay = (key: string): boolean => key.startsWith(`${day}/`);
  const hold = active.find(
    (candidate) =>
      isOfDay(candidate.file) ||
      ((candidate.from === null || Date.parse(candidate.from) <= to) &&
        (candidate.to === null || Date.parse(candidate.to) >= from)),
  );
  if (hold) return describeHold(hold);
  const [, released] = [...releases].find(([release, recorded]) => isOfDay(release) && !isOfDay(recorded)) ?? [];
  return released && `it releases the hold that ${released} records`;
}

async function examine(bucket: Bucket, day: string): Promise<ExpiredDay> {
  const { direct, foreign, control, shipped } = await listDay(bucket, day);
  const segments = new Map<string, SegmentState>();
  let entries = foreign.length;
  const keys = [...direct, ...control, ...shipped].map(({ key }) => key);
  const heads = mapInOrder(keys, HEADS_AHEAD, async (key) => ({ key, head: await bucket.head(key) }));
  for await (const { key, head } of heads) {
    const commit = head && parseCommitMetadata(head.metadata);
    const file = head && parseShippedMetadata(head.metadata);
    const checkpoint = commit && checkpointOf(commit);
    entries += commit?.entries ?? file?.entries ?? 1;
    if (checkpoint) noteState(segments, fileOfOrigin(checkpoint.origin), checkpoint.size, checkpoint.root);
    if (file) noteState(segments, `${file.directory}/${key.slice(key.lastIndexOf("/") + 1)}`, file.leaves, file.root);
  }
  return { day, keys: [...keys, ...foreign.map(({ key }) => key)], entries, segments };
}

function noteState(segments: Map<string, SegmentState>, file: string, leaves: number, root: string): void {
  if (leaves > (segments.get(file)?.leaves ?? 0)) segments.set(file, { leaves, root });
}

/** Deletes a day with all versions of its objects: a mere delete marker would keep what retention says must go. */
async function remove(bucket: Bucket, { day, keys }: ExpiredDay): Promise<void> {
  const versions = (await bucket.isVersioned()) === true ? await Array.fromAsync(bucket.versions(`${day}/`)) : [];
  const objects = versions.length > 0 ? versions : keys.map((key) => ({ key }));
  const refused = await bucket.remove(objects);
  const [first] = refused;
  if (!first) return;
  throw new AuditWriteError(
    "AUDIT_WRITE_FAILED",
    `${refused.length} objects of ${day} were not deleted; ${bucket.urlOf(first.key)}: ${first.reason}`,
  );
}
