// Files that are gone: the removals that a log records, and whether they count. Over 300 lines: the
// rules of a removal stand together.
import type { RemovalLine } from "../format/control-line.ts";
import { dayOfSegment, startOfDay } from "../format/segment-name.ts";
import { isConsistent } from "../seal/consistency.ts";
import { dayIn, holdOn, inForce, type TimeSpan } from "./holds.ts";
import type { SegmentReport } from "./segment-report.ts";
import { dayWritten } from "./segment-time.ts";
import type { RecordedHold, RecordedRemoval, RetentionRule } from "./verification.ts";
import { DAY_MS } from "../time.ts";

/** A line that authorises a removal, with the facts about it. */
export interface FoundRemoval {
  readonly prune: RemovalLine;
  /** Whether a trusted key vouches for it. */
  readonly isProven: boolean;
  /**
   * Time of the file's removal: a moment, or the UTC day of the segment where the line names no
   * time.
   */
  readonly when: TimeSpan;
}

/** A state of a file that is gone: a segment's record, or a pin's. */
export interface KnownState {
  readonly size: number;
  readonly root: string;
  /** For messages: the segment, or the pin. */
  readonly by: string;
  /** Undefined for a pin. */
  readonly from: SegmentReport | undefined;
}

/** Facts about removals from outside the files. */
export interface RemovalContext {
  readonly now: Date;
  /**
   * The time for which files must be kept.
   * @default no rule: the log's own rules are accepted, and the verdict says so
   */
  readonly rules?: readonly RetentionRule[];
  /** Holds, also those released. @default none */
  readonly holds?: readonly RecordedHold[];
  /** Removals that another log of the same place records. @default none */
  readonly prunes?: readonly FoundRemoval[];
  /** Whether these files are an archive: files moved to it must be here. @default false */
  readonly isArchive?: boolean;
  /**
   * Whether the place has a rule of its own that removes old files: a bucket may, a directory has
   * none.
   * @default false
   */
  readonly mayExpire?: boolean;
}

/** The judgement on a file that is gone. */
export interface RemovalJudgement {
  readonly state: "PRUNED" | "ARCHIVED" | "MISSING";
  /**
   * The line that counts; undefined where none does, and where the place itself removed the file.
   */
  readonly record?: FoundRemoval;
  /** Why no line counts. */
  readonly why?: string;
  /** Whether a rule of the auditor allows it. */
  readonly isByRule?: boolean;
  /** States that are smaller than the one removed, and that no consistency proof ties to it. */
  readonly unproven?: readonly KnownState[];
}

/** The removals that a log records. */
export class Removals {
  readonly #byFile: ReadonlyMap<string, readonly FoundRemoval[]>;
  /** Why removal lines do not count, by file. */
  readonly #refused = new Map<string, { readonly why: string; readonly leaves: number }>();
  /** Whether a trusted key vouches for any part of the log. */
  readonly #hasProven: boolean;
  readonly #reports: readonly SegmentReport[];
  readonly #context: RemovalContext;

  constructor(reports: readonly SegmentReport[], context: RemovalContext) {
    this.#reports = reports;
    this.#context = context;
    this.#hasProven = reports.some(({ isProven }) => isProven);
    const own = reports.flatMap((report) => recordsIn(report));
    const counting = context.isArchive === true ? this.#ofNeverShipped(own) : own;
    const records = [...counting, ...(context.prunes ?? [])];
    for (const record of records) {
      const why = flawOf(record);
      const { file, leaves } = record.prune;
      if (why !== undefined) this.#refused.set(file, { why, leaves });
    }
    this.#byFile = Map.groupBy(
      records.filter((record) => flawOf(record) === undefined),
      ({ prune }) => prune.file,
    );
  }

  /** Lines that may count, for other logs of the same place. */
  get all(): readonly FoundRemoval[] {
    return [...this.#byFile.values()].flat();
  }

  /** Files that any line reports as removed. */
  get files(): ReadonlySet<string> {
    return new Set([...this.#byFile.keys(), ...this.#refused.keys()]);
  }

  /** The largest number of leaves that a line records for a file. */
  leavesOf(file: string): number {
    const refused = this.#refused.get(file)?.leaves ?? 0;
    const lines = this.#byFile.get(file) ?? [];
    return lines.reduce((most, { prune }) => Math.max(most, prune.leaves), refused);
  }

  /** Judges a file that is gone by all records of it. */
  judge(file: string, states: readonly KnownState[]): RemovalJudgement {
    const refused = this.#refused.get(file)?.why;
    const judged = (this.#byFile.get(file) ?? []).map((record) =>
      this.#judgeRecord(file, record, states),
    );
    const good = judged.filter(({ state }) => state !== "MISSING");
    // Of several lines, the one with the fewest assumptions: a removal without unproven states,
    // then one by a rule.
    const best = good.find(({ unproven = [] }) => unproven.length === 0) ?? good[0] ?? judged[0];
    if (best !== undefined && best.state !== "MISSING") return best;
    return (
      this.#judgeExpiry(file, states) ??
      best ?? { state: "MISSING", ...(refused !== undefined && { why: refused }) }
    );
  }

  #judgeRecord(
    file: string,
    record: FoundRemoval,
    states: readonly KnownState[],
  ): RemovalJudgement {
    const { prune, isProven } = record;
    const unproven: KnownState[] = [];
    for (const state of states) {
      const tie = tieTo(prune, state);
      if (typeof tie === "string") return { state: "MISSING", why: tie };
      // Only a trusted key may declare removed the states that a trusted key or a pin recorded.
      // Without any proof in the log, the removal is not proven either.
      const needsProof = state.from === undefined || state.from.isProven || !tie;
      if (needsProof && !isProven && this.#hasProven)
        return { state: "MISSING", why: "no key that was given has sealed it" };
      if (!tie) unproven.push(state);
    }
    if (states.length === 0 && !isProven && this.#hasProven)
      return { state: "MISSING", why: "no key that was given has sealed it" };
    if (prune.type === "retention.archived") return { state: "ARCHIVED", record, unproven };
    const held = this.#holdAt(file, record);
    if (held !== undefined) return { state: "MISSING", why: held };
    const rule = this.#ruleFor(file);
    const early = rule && whyTooEarly(record, rule);
    if (early !== undefined) return { state: "MISSING", why: early };
    return { state: "PRUNED", record, unproven, isByRule: rule !== undefined };
  }

  /**
   * The place itself has removed the file's whole day by now, by the rule that all records of the
   * file name.
   */
  #judgeExpiry(file: string, states: readonly KnownState[]): RemovalJudgement | undefined {
    const recorded = states.filter(({ from }) => from !== undefined);
    const days =
      recorded.length === 0
        ? this.#expiryOf(file, undefined)
        : recorded.reduce(
            (most, { from }) => Math.max(most, this.#expiryOf(file, from) ?? Infinity),
            -Infinity,
          );
    if (days === undefined || days === Infinity) return undefined;
    const rule = this.#ruleFor(file);
    if (rule !== undefined && days < rule.days) {
      const why = `the bucket removes files after ${days} days, and your rule keeps them ${rule.days}`;
      return { state: "MISSING", why };
    }
    return { state: "PRUNED", isByRule: rule !== undefined };
  }

  #expiryOf(file: string, by: SegmentReport | undefined): number | undefined {
    if (this.#context.mayExpire !== true) return undefined;
    const start = startOfDay(dayOfSegment(file) ?? "");
    const witnesses = by
      ? [by]
      : this.#reports.filter(({ isProven }) => isProven || !this.#hasProven);
    const days = witnesses.flatMap(({ open }) =>
      open?.expires !== undefined && start + open.expires * DAY_MS <= this.#context.now.getTime()
        ? [open.expires]
        : [],
    );
    return days.length === 0 ? undefined : days.reduce((least, each) => Math.min(least, each));
  }

  /** A hold that was in force when the file was removed, and that covers entries of it. */
  #holdAt(file: string, { prune, when }: FoundRemoval): string | undefined {
    const day = dayIn(file);
    if (prune.type !== "retention.prune" || day === undefined) return undefined;
    const span =
      prune.from === null || prune.to === null
        ? day
        : { from: Date.parse(prune.from), to: Date.parse(prune.to) };
    const { hold, actor, reason } = holdOn(span, inForce(this.#context.holds ?? [], when)) ?? {};
    return hold === undefined ? undefined : `hold ${hold} by ${actor} was in force: ${reason}`;
  }

  #ruleFor(file: string): RetentionRule | undefined {
    const day = dayIn(file);
    return (this.#context.rules ?? []).findLast(
      ({ since }) => day === undefined || since === undefined || Date.parse(since) <= day.to,
    );
  }

  /**
   * A file that a directory removed after it was shipped must be in the archive, whatever the
   * directory's own retention says: in the archive only its own retention counts. A file removed
   * before it could be shipped is nowhere.
   */
  #ofNeverShipped(records: readonly FoundRemoval[]): FoundRemoval[] {
    const moved = records.filter(
      ({ prune, isProven }) =>
        prune.type === "retention.archived" && (isProven || !this.#hasProven),
    );
    const shipped = new Set(moved.map(({ prune }) => prune.file));
    return records.filter(
      ({ prune }) => prune.type === "retention.prune" && !shipped.has(prune.file),
    );
  }
}

/** The removal that a record is about, for a person to read. */
export function describeRemoval(file: string, record: FoundRemoval): RecordedRemoval {
  const { prune, when } = record;
  const at = prune.at ?? new Date(when.from).toISOString().slice(0, "YYYY-MM-DD".length);
  const common = { file, leaves: prune.leaves, at };
  return prune.type === "retention.archived"
    ? { ...common, state: "ARCHIVED", location: prune.location }
    : {
        ...common,
        state: "PRUNED",
        policy: prune.policy,
        actor: prune.actor,
        from: prune.from,
        to: prune.to,
      };
}

/** The records of removals that a segment holds. */
export function recordsIn({ prunes, isProven, open }: SegmentReport): FoundRemoval[] {
  const start = open ? startOfDay(dayWritten(open)) : Number.NaN;
  return prunes.map((prune) => {
    const at = Date.parse(prune.at ?? "");
    const day = { from: start, to: start + DAY_MS - 1 };
    return { prune, isProven, when: Number.isNaN(at) || at > day.to ? day : { from: at, to: at } };
  });
}

/** Why a line cannot authorise any removal; undefined where it may. */
function flawOf({ prune, when }: FoundRemoval): string | undefined {
  const day = dayIn(prune.file);
  if (prune.type !== "retention.prune" || day === undefined) return undefined;
  // Entries lie in the file of their day: a remover records another day only when deceived.
  const isOfDay = [prune.from, prune.to].every((time) => {
    const at = time === null ? day.from : Date.parse(time);
    return at >= day.from && at <= day.to;
  });
  if (!isOfDay) return "it is of another day than the file";
  // A line of the file's own day, or of an earlier one, would let anybody remove the file later.
  return when.from <= day.to ? "it was written before the file's day was over" : undefined;
}

/**
 * Whether a removed state is tied to one that is on record: true where they are the same or a
 * consistency proof holds, false where the removed one is larger and only the remover claims that
 * it began with it. Else the reason against it.
 */
function tieTo(prune: RemovalLine, { size, root, by }: KnownState): boolean | string {
  const { leaves } = prune;
  if (size > leaves) return `it names ${leaves} leaves, and ${by} records ${size}`;
  if (size === leaves) return prune.root === root || `it names another root than ${by}`;
  const since = prune.type === "retention.prune" ? prune.since : undefined;
  const proof = since?.find((state) => state.leaves === size);
  if (size === 0 || proof === undefined) return size === 0;
  const isProof =
    proof.root === root &&
    isConsistent({
      first: size,
      firstRoot: Buffer.from(root, "base64"),
      second: leaves,
      secondRoot: Buffer.from(prune.root, "base64"),
      proof: proof.proof.map((node) => Buffer.from(node, "base64")),
    });
  return isProof || `its consistency proof does not lead from what ${by} records`;
}

/** Why a removal breaks a rule; undefined where it does not. */
function whyTooEarly({ prune, when }: FoundRemoval, { days }: RetentionRule): string | undefined {
  const day = dayIn(prune.file);
  if (prune.type !== "retention.prune" || day === undefined) return undefined;
  const newest = prune.to === null ? day.from : Date.parse(prune.to);
  if (when.from - newest >= days * DAY_MS) return undefined;
  const age = Math.floor((when.from - newest) / DAY_MS);
  return `${prune.actor} removed it after ${age} ${age === 1 ? "day" : "days"}, and your rule keeps files ${days} days`;
}
