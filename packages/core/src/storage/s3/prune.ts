// Retention in a bucket: whole UTC days are removed, after a durable record of each of their
// segments. An altered segment stays, as in a directory. Over 300 lines: the steps of one day in
// their order.
import { AuditWriteError } from "../../errors.ts";
import { formatControlLine } from "../../format/control-line.ts";
import { readFirstLine } from "../../format/read-control-line.ts";
import { dayOfSegment, startOfDay } from "../../format/segment-name.ts";
import { whyDayHeld } from "../../retention/holds.ts";
import {
  planRemoval,
  removalLines,
  type RemovalPlan,
  type Surroundings,
} from "../../retention/plan.ts";
import type { Actor } from "../../retention/trust.ts";
import { hasCode } from "../../system-error.ts";
import { referencesOf } from "../../verify/references.ts";
import type { ExpiredPart, PruneOptions, PruneResult } from "../storage.ts";
import type { S3Bucket } from "./bucket.ts";
import { examineDay, type ExpiredDay, type ExpiredSegment } from "./expired-day.ts";
import { FoundObjects, listDay } from "./listing.ts";
import { readBucketHolds } from "./holds.ts";
import { boundsOf, dayOf, isDay, parseSegmentFileName } from "./keys.ts";
import { EarlierRuns, OtherSegments } from "./surroundings.ts";

/** The writer on whose behalf days are removed. */
export interface BucketRemover {
  readonly actor: Actor;
  /** Writes lines into the log, as a commit of their own. */
  readonly record: (lines: readonly string[]) => Promise<void>;
  /** Its stream. */
  readonly stream: string;
}

/** The decision about a day. */
interface DayPlan {
  /** Keys of the day, as they were before it was examined. */
  readonly listed: ReadonlySet<string>;
  readonly plan: RemovalPlan<ExpiredSegment>;
  /** Objects without a seal to remove. */
  readonly unsealed: readonly string[];
  readonly refused: readonly Refused[];
}

interface Refused {
  readonly file: string;
  readonly keys: readonly string[];
  readonly reason: string;
}

/** Keeps a line at about 100 KB. */
const STATES_PER_LINE = 1000;
/** Times that a day is examined again while another process removes it. */
const MAX_LOOKS = 5;

/** Removes days that ended before `before`; never the present one. */
export async function pruneBucket(
  bucket: S3Bucket,
  { before, policy, actor, dryRun = false, now, onProgress = () => undefined }: PruneOptions,
  remover: BucketRemover,
): Promise<PruneResult> {
  // The caller's `now` may lie ahead; other writers' open segments are of the real present.
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
  const holds = await readBucketHolds(bucket, remover.actor.vkey);
  const whyHeld = (day: string): string | undefined => whyDayHeld(holds, { day, ...boundsOf(day) });
  const retention = new BucketRetention(bucket, remover, {
    isVersioned: (await bucket.isVersioned()) === true,
    isMissed: (day) => !(boundsOf(day).to < limit) || whyHeld(day) !== undefined,
    heldDays: days.filter((day) => whyHeld(day) !== undefined),
  });
  // One day after the other: an interrupted run has removed the oldest days, and the next run
  // continues.
  for (const [at, day] of days.toSorted().entries()) {
    onProgress(at / days.length);
    const { from, to } = boundsOf(day);
    const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    const reason = whyHeld(day);
    if (reason !== undefined) {
      result.held.push(`${day}/`);
      result.expired.push({ file: `${day}/`, entries: null, ...range, fate: "held", reason });
      continue;
    }
    const decision = await retention.decide(day);
    if (!dryRun && !(await retention.carryOut(day, decision, { policy, actor }))) continue;
    const { plan, unsealed, refused } = decision;
    const entries = plan.remove.reduce((sum, segment) => sum + segment.entries, unsealed.length);
    const keys = keysGoing(decision);
    result.entries += entries;
    // One by one: a day may have more objects than a call has arguments.
    for (const key of keys) result.files.push(key);
    for (const segment of refused) for (const key of segment.keys) result.refused.push(key);
    if (keys.length > 0)
      result.expired.push({ file: `${day}/`, entries, ...range, fate: "removed" });
    for (const { file, reason: flaw } of refused) {
      result.expired.push({ file, entries: null, ...range, fate: "refused", reason: flaw });
    }
  }
  return result;
}

interface RetentionOptions {
  readonly isVersioned: boolean;
  /** Whether segments of a day must stay. */
  readonly isMissed: (day: string) => boolean;
  /** Days past retention that a hold keeps. */
  readonly heldDays: readonly string[];
}

/** A segment that refers to another one. */
interface Referrer {
  readonly file: string;
  /** Key of the object that does. */
  readonly by: string;
}

class BucketRetention {
  readonly #bucket: S3Bucket;
  readonly #remover: BucketRemover;
  readonly #options: RetentionOptions;
  readonly #gone = new Set<string>();
  readonly #refused = new Set<string>();
  /** Of all segments examined so far: those that are refused stay. */
  readonly #examined: Referrer[] = [];
  #ofHeldDays: Promise<readonly Referrer[]> | undefined;
  #others: OtherSegments;
  #earlier: EarlierRuns;

  constructor(bucket: S3Bucket, remover: BucketRemover, options: RetentionOptions) {
    this.#bucket = bucket;
    this.#remover = remover;
    this.#options = options;
    this.#others = new OtherSegments(bucket, remover.actor);
    this.#earlier = new EarlierRuns(bucket, this.#others, remover.actor);
  }

  /**
   * Examines again where another process removes the same day: half of a segment does not match its
   * seal.
   */
  async decide(day: string): Promise<DayPlan> {
    for (let looks = 1; ; looks += 1) {
      try {
        const listed = await this.#keysOf(day);
        const examined = await this.#examineDay(day);
        const isShrinking = examined.segments.some(
          ({ flaw, isRemains }) => flaw !== undefined && !isRemains,
        );
        if (!isShrinking || looks === MAX_LOOKS || !(await this.#isShrinking(examined)))
          return { listed, ...(await this.#decide(examined)) };
      } catch (error) {
        if (!hasCode(error, "ENOENT") || looks === MAX_LOOKS) throw error;
      }
      this.#others = new OtherSegments(this.#bucket, this.#remover.actor);
      this.#earlier = new EarlierRuns(this.#bucket, this.#others, this.#remover.actor);
    }
  }

  async #examineDay(day: string): Promise<ExpiredDay> {
    return examineDay(
      {
        bucket: this.#bucket,
        others: this.#others,
        earlier: this.#earlier,
        actor: this.#remover.actor,
        isVersioned: this.#options.isVersioned,
      },
      day,
    );
  }

  /** Whether objects of the day have gone since it was listed. */
  async #isShrinking({ day, segments }: ExpiredDay): Promise<boolean> {
    const there = await this.#keysOf(day);
    return segments.some(({ keys }) => keys.some((key) => !there.has(key)));
  }

  async #keysOf(day: string): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for await (const page of this.#bucket.list({ prefix: `${day}/` }))
      for (const { key } of page) keys.add(key);
    return keys;
  }

  async #decide(examined: ExpiredDay): Promise<Omit<DayPlan, "listed">> {
    const { segments } = examined;
    for (const { keys, states } of segments)
      for (const { file } of states) this.#examined.push({ file, by: keys[0] ?? "" });
    const plan = planRemoval(segments, await this.#surroundingsOf(segments));
    const refused: Refused[] = plan.keep.map(({ candidate: { file, keys }, reason }) => ({
      file,
      keys,
      reason,
    }));
    const evidence = await this.#unsealedEvidence(examined, refused.length > 0);
    if (evidence) refused.push(evidence);
    const unsealed = [...examined.unsealed, ...examined.foreign].filter(
      (key) => evidence?.keys.includes(key) !== true,
    );
    for (const { file } of refused) this.#refused.add(file);
    return { plan, unsealed, refused };
  }

  /**
   * The facts about the rest of the bucket. The first line of a segment names those that it refers
   * to. A direct segment that is not past retention refers to none that was removed, except the one
   * before it in its stream, and its end shows in a listing.
   */
  async #surroundingsOf(segments: readonly ExpiredSegment[]): Promise<Surroundings> {
    const keysOf = new Map(segments.map(({ file, keys }) => [file, keys]));
    const removed = new Set<string>();
    for (const { file } of segments.flatMap(({ states }) => states))
      if (await this.#earlier.removed(file)) removed.add(file);
    const hasRemovals = segments.some(({ removals }) => removals.length > 0);
    const referrers = hasRemovals ? await this.#referrers() : [];
    const ends = hasRemovals ? await this.#others.control() : [];
    const isReferredTo = (file: string, going: ReadonlySet<string>): boolean => {
      const goingKeys = new Set([...going].flatMap((name) => keysOf.get(name) ?? []));
      const stays = (key: string): boolean => !this.#gone.has(key) && !goingKeys.has(key);
      if (referrers.some((referrer) => referrer.file === file && stays(referrer.by))) return true;
      const segment = parseSegmentFileName(file);
      if (!segment) return false;
      // The remover's own next segment names its last one.
      return (
        segment.stream === this.#remover.stream ||
        ends.some(
          ({ stream, seq, key }) => stream === segment.stream && seq > segment.seq && stays(key),
        )
      );
    };
    return {
      whyHeld: () => undefined, // held days are not examined
      isReferredTo,
      mustStayOnRecord: (file) => {
        const start = startOfDay(dayOfSegment(file.slice(file.lastIndexOf("/") + 1)) ?? "");
        const isMissed = !Number.isNaN(start) && this.#options.isMissed(dayOf(start));
        return (this.#refused.has(file) || isMissed) && !removed.has(file);
      },
      isOnRecord: () => false, // a first line has room for a few states only
    };
  }

  async #referrers(): Promise<readonly Referrer[]> {
    const beginnings = await this.#others.beginnings();
    const states = await this.#earlier.states();
    this.#ofHeldDays ??= referrersOn(this.#bucket, this.#options.heldDays);
    return [
      ...(await this.#ofHeldDays),
      ...this.#examined,
      ...beginnings.flatMap(({ key, directory, refs }) =>
        refs.map(({ file }) => ({ file: `${directory}/${file}`, by: key })),
      ),
      ...states.map(({ ref, by }) => ({ file: ref.file, by })),
    ];
  }

  /** Objects without a seal, under names that this library uses, may be the rest of a segment. */
  async #unsealedEvidence(
    { day, stripped, unsealed, missing }: ExpiredDay,
    hasRefused: boolean,
  ): Promise<Refused | undefined> {
    if (stripped.length + unsealed.length === 0) return undefined;
    const lacking: string[] = [];
    for (const file of missing) if (!(await this.#earlier.removed(file))) lacking.push(file);
    if (!hasRefused && lacking.length + stripped.length === 0) return undefined;
    const reason =
      lacking.length > 0
        ? `it has no seal, and ${lacking[0]} is not there`
        : "it has no seal any more";
    return { file: `${day}/`, keys: [...stripped, ...unsealed], reason };
  }

  /**
   * Records the removal, then removes. False where the day grew meanwhile: a writer has woken up
   * after days and ended its segment, of which others may have recorded more than the removal line
   * names. The day waits for the next clean-up.
   */
  async carryOut(
    day: string,
    decision: DayPlan,
    by: { readonly policy: string; readonly actor: string },
  ): Promise<boolean> {
    const { plan, refused, listed } = decision;
    const { states } = plan;
    const lines = [
      ...removalLines(plan.remove, { ...by, at: new Date().toISOString() }),
      ...plan.carried,
    ];
    const seen: string[] = [];
    for (let at = 0; at < states.length; at += STATES_PER_LINE) {
      seen.push(
        formatControlLine({ type: "retention.seen", seen: states.slice(at, at + STATES_PER_LINE) }),
      );
    }
    if (lines.length > 0) await this.#remover.record([...seen, ...lines]);
    for (const key of await this.#keysOf(day)) if (!listed.has(key)) return false;
    const keys = keysGoing(decision);
    await this.#remove(day, keys, refused.length === 0);
    for (const key of keys) this.#gone.add(key);
    return true;
  }

  /**
   * Deletes objects with all their versions: a delete marker alone would keep the content that
   * retention must remove.
   */
  async #remove(day: string, keys: readonly string[], isWhole: boolean): Promise<void> {
    const going = new Set(keys);
    const versions = this.#options.isVersioned
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

/** What the first lines of these days' direct segments refer to. */
async function referrersOn(
  bucket: S3Bucket,
  days: readonly string[],
): Promise<readonly Referrer[]> {
  const referrers: Referrer[] = [];
  for (const day of days) {
    const found = new FoundObjects();
    await found.addDay(bucket, await listDay(bucket, day));
    for (const { key, open = "" } of [...found.commits.values()].flat()) {
      const first = readFirstLine(open);
      if (first.kind !== "segment") continue;
      for (const { file } of referencesOf(first.open)) referrers.push({ file, by: key });
    }
  }
  return referrers;
}

function keysGoing({ plan, unsealed }: DayPlan): string[] {
  return [...plan.remove.flatMap(({ keys }) => keys), ...unsealed].toSorted();
}
