// Retention in a bucket: whole UTC days go, after a durable record of every segment that goes with them. A segment that
// is not what was sealed stays, as it does in a directory: the record of its removal would be all that is left of it.
import { AuditWriteError } from "../../errors.ts";
import { formatControlLine, type SegmentRef } from "../../format/control-line.ts";
import { dayOfSegment, startOfDay } from "../../format/segment-name.ts";
import { describeHold, type Holds } from "../file/holds.ts";
import { largestStates } from "../file/sole-records.ts";
import type { ExpiredPart, PruneOptions, PruneResult } from "../storage.ts";
import type { S3Bucket } from "./bucket.ts";
import { linesToCarry } from "./carry.ts";
import { EarlierRuns } from "./earlier-runs.ts";
import {
  type DayOptions,
  examineDay,
  type ExpiredDay,
  type ExpiredSegment,
} from "./expired-day.ts";
import { readBucketHolds } from "./holds.ts";
import { boundsOf, dayOf, isDay } from "./keys.ts";
import { type Actor, Survey, trustsOf } from "./survey.ts";

/** The writer on whose behalf days are removed. */
export interface BucketRemover extends Actor {
  /** Writes lines into the log, as a commit of their own. */
  readonly record: (lines: readonly string[]) => Promise<void>;
  /** Its stream. */
  readonly stream: string;
}

/** What of a day goes and what stays. */
interface Decision {
  readonly going: readonly ExpiredSegment[];
  /** Recorded as removed by an earlier run, which was broken off: it goes without another record. */
  readonly remains: readonly ExpiredSegment[];
  readonly refused: readonly {
    readonly file: string;
    readonly keys: readonly string[];
    readonly reason: string;
  }[];
  /** Objects that nothing seals. */
  readonly unsealed: readonly string[];
  /** Records of removals that are still referred to. */
  readonly carried: readonly string[];
  /** What only those that go recorded of segments that stay. */
  readonly states: readonly SegmentRef[];
}

/** A line stays some 100 KB long. */
const STATES_A_LINE = 1000;

/** Removes days that ended before `before`; never the present one. */
export async function pruneBucket(
  bucket: S3Bucket,
  { before, policy, actor, dryRun = false, now, onProgress = () => undefined }: PruneOptions,
  remover: BucketRemover,
): Promise<PruneResult> {
  // The caller's present may lie ahead. What others write is of the real one.
  const limit = Math.min(before, now, Date.now());
  const days = (await Array.fromAsync(bucket.folders())).filter(
    (day) => isDay(day) && boundsOf(day).to < limit,
  );
  const result = {
    entries: 0,
    files: new Array<string>(),
    held: new Array<string>(),
    refused: new Array<string>(),
    expired: new Array<ExpiredPart>(),
  };
  if (days.length === 0) return result;
  const holds = await readBucketHolds(bucket, remover.vkey);
  const isMissed = (day: string): boolean =>
    !(boundsOf(day).to < limit) || whyHeld(holds, day) !== undefined;
  const retention = new BucketRetention(bucket, remover, {
    isVersioned: (await bucket.isVersioned()) === true,
    isMissed,
  });
  // One day after the other: a run that breaks off has removed the oldest days, and the next one goes on.
  for (const [at, day] of days.toSorted().entries()) {
    onProgress(at / days.length);
    const { from, to } = boundsOf(day);
    const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    const reason = whyHeld(holds, day);
    if (reason !== undefined) {
      result.held.push(`${day}/`);
      result.expired.push({ file: `${day}/`, entries: null, ...range, fate: "held", reason });
      continue;
    }
    const decision = await retention.decide(day);
    const { going, remains, refused, unsealed } = decision;
    if (!dryRun) await retention.carryOut(day, decision, { policy, actor });
    const entries = [...going, ...remains].reduce(
      (sum, segment) => sum + segment.entries,
      unsealed.length,
    );
    const keys = keysGoing(decision);
    result.entries += entries;
    result.files.push(...keys);
    result.refused.push(...refused.flatMap((segment) => segment.keys));
    if (keys.length > 0)
      result.expired.push({ file: `${day}/`, entries, ...range, fate: "removed" });
    for (const { file, reason: flaw } of refused) {
      result.expired.push({ file, entries: null, ...range, fate: "refused", reason: flaw });
    }
  }
  return result;
}

class BucketRetention {
  readonly #bucket: S3Bucket;
  readonly #remover: BucketRemover;
  readonly #isVersioned: boolean;
  readonly #options: DayOptions;
  readonly #earlier: EarlierRuns;
  readonly #isMissed: (day: string) => boolean;
  readonly #gone = new Set<string>();
  readonly #refused = new Set<string>();

  /** `isMissed`: whether what is of a day must stay. */
  constructor(
    bucket: S3Bucket,
    remover: BucketRemover,
    {
      isVersioned,
      isMissed,
    }: { readonly isVersioned: boolean; readonly isMissed: (day: string) => boolean },
  ) {
    const trusts = trustsOf(remover);
    const survey = new Survey(bucket, remover);
    const earlier = new EarlierRuns(bucket, survey, trusts);
    const mayRemove = (vkey: string | null): boolean =>
      vkey === null || vkey === remover.vkey || remover.trustedKeys.includes(vkey);
    this.#bucket = bucket;
    this.#remover = remover;
    this.#isVersioned = isVersioned;
    this.#options = { bucket, survey, earlier, trusts, mayRemove, isVersioned };
    this.#earlier = earlier;
    this.#isMissed = isMissed;
  }

  async decide(day: string): Promise<Decision> {
    const examined = await examineDay(this.#options, day);
    const sound: ExpiredSegment[] = [];
    const remains: ExpiredSegment[] = [];
    const refused: { file: string; keys: readonly string[]; reason: string }[] = [];
    for (const segment of examined.segments) {
      const { file, keys, flaw: reason } = segment;
      if (reason === undefined) sound.push(segment);
      else if (await this.#earlier.removed(file)) remains.push(segment);
      else refused.push({ file, keys, reason });
    }
    const { lines, unproven } = await linesToCarry(this.#options, sound, {
      gone: this.#gone,
      ownStream: this.#remover.stream,
    });
    refused.push(
      ...unproven.map(({ file, keys }) => ({
        file,
        keys,
        reason: "it records a removal, and nothing proves it",
      })),
    );
    const going = sound.filter((segment) => !unproven.includes(segment));
    const evidence = await this.#unsealedEvidence(examined, refused.length > 0);
    if (evidence) refused.push(evidence);
    const unsealed = [...examined.unsealed, ...examined.foreign].filter(
      (key) => evidence?.keys.includes(key) !== true,
    );
    for (const { file } of refused) this.#refused.add(file);
    return {
      going,
      remains,
      refused,
      unsealed,
      carried: lines,
      states: await this.#soleRecords(going),
    };
  }

  /**
   * What only these segments may record of others that stay: of those refused, and of days that are held or not past
   * retention, whether they are there or not. What retention removed itself is not looked for any more.
   */
  async #soleRecords(going: readonly ExpiredSegment[]): Promise<SegmentRef[]> {
    const goingFiles = new Set(going.map(({ file }) => file));
    const states: SegmentRef[] = [];
    for (const ref of largestStates(going.flatMap(({ refs }) => refs))) {
      const start = startOfDay(dayOfSegment(ref.file.slice(ref.file.lastIndexOf("/") + 1)) ?? "");
      const mustStay =
        this.#refused.has(ref.file) || (!Number.isNaN(start) && this.#isMissed(dayOf(start)));
      if (ref.size === 0 || goingFiles.has(ref.file) || !mustStay) continue;
      if (!(await this.#earlier.removed(ref.file))) states.push(ref);
    }
    return states;
  }

  /** What nothing seals under names of ours may be what is left of a segment that is not whole. */
  async #unsealedEvidence(
    { day, stripped, unsealed, missing }: ExpiredDay,
    hasRefused: boolean,
  ): Promise<{ file: string; keys: readonly string[]; reason: string } | undefined> {
    if (stripped.length + unsealed.length === 0) return undefined;
    const lacking: string[] = [];
    for (const file of missing) if (!(await this.#earlier.removed(file))) lacking.push(file);
    if (!hasRefused && lacking.length + stripped.length === 0) return undefined;
    const reason =
      lacking.length > 0
        ? `nothing seals it, and ${lacking[0]} is not there`
        : "nothing seals it any more";
    return { file: `${day}/`, keys: [...stripped, ...unsealed], reason };
  }

  async carryOut(
    day: string,
    decision: Decision,
    { policy, actor }: { readonly policy: string; readonly actor: string },
  ): Promise<void> {
    const { going, refused, carried, states } = decision;
    const lines = going.map(({ ref, from, to }) =>
      formatControlLine({
        type: "retention.prune",
        file: ref.file,
        leaves: ref.size,
        root: ref.root,
        from,
        to,
        policy,
        actor,
      }),
    );
    const seen: string[] = [];
    for (let at = 0; at < states.length; at += STATES_A_LINE) {
      seen.push(
        formatControlLine({ type: "retention.seen", seen: states.slice(at, at + STATES_A_LINE) }),
      );
    }
    if (lines.length + carried.length > 0)
      await this.#remover.record([...seen, ...lines, ...carried]);
    const keys = keysGoing(decision);
    await this.#remove(day, keys, refused.length === 0);
    for (const key of keys) this.#gone.add(key);
  }

  /** Deletes objects with all their versions: a mere delete marker would keep what retention says must go. */
  async #remove(day: string, keys: readonly string[], isWhole: boolean): Promise<void> {
    const going = new Set(keys);
    const versions = this.#isVersioned
      ? await Array.fromAsync(this.#bucket.versions(`${day}/`))
      : [];
    const chosen = versions.filter(({ key }) => isWhole || going.has(key));
    const objects = chosen.length > 0 ? chosen : keys.map((key) => ({ key }));
    const [first, ...others] = await this.#bucket.remove(objects);
    if (!first) return;
    throw new AuditWriteError(
      "AUDIT_WRITE_FAILED",
      `${others.length + 1} objects of ${day} were not deleted; ${this.#bucket.urlOf(first.key)}: ${first.reason}`,
    );
  }
}

function keysGoing({ going, remains, unsealed }: Decision): string[] {
  return [
    ...going.flatMap(({ keys }) => keys),
    ...remains.flatMap(({ keys }) => keys),
    ...unsealed,
  ].toSorted();
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
  const [, released] =
    [...releases].find(([release, recorded]) => isOfDay(release) && !isOfDay(recorded)) ?? [];
  return released && `it releases the hold that ${released} records`;
}
