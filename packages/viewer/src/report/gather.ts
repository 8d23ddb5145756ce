// Reads the entries of a report's period once, and keeps figures, digests, and the few entries that
// a report lists one by one. Over 300 lines: all that one pass over the entries collects.
import {
  type AuditEntry,
  type AuditStorage,
  joinReviews,
  type ReviewCase,
  type TimeRange,
} from "@ai-audit/core";
import { lineToEntry } from "@ai-audit/core/format";
import type { RecordedErasure, RecordedLoss, Verification } from "@ai-audit/core/verify";
import {
  actorOf,
  agentOf,
  beganAt,
  figureFactsOf,
  type FigureFacts,
  type GroupFigures,
  isDuplicate,
  isEvent,
  mayConcernReview,
  outcomeClass,
  outcomeOf,
  Statistics,
  targetOf,
} from "@ai-audit/core/reading";
import { EvidenceSet } from "./evidence.ts";

/** An entry that a report lists. No content. */
export interface ListedEntry {
  readonly id: string;
  readonly time: string;
  readonly operation: string | null;
  readonly target: string | null;
  readonly actor: string | null;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly detectors: readonly string[];
}

/** A model in use. */
export interface ModelUse {
  readonly provider: string | null;
  /** As asked for. */
  readonly model: string | null;
  /** As served. */
  readonly versions: readonly string[];
  readonly figures: GroupFigures;
  readonly first: string;
  readonly last: string;
}

/** A period of use: no hour in it is without an entry. */
export interface Use {
  readonly from: string;
  readonly to: string;
  readonly entries: number;
}

/** Sets of entries that findings rest on. */
const SET_NAMES = [
  "all",
  "calls",
  "timed",
  "withContent",
  "plain",
  "withOutcome",
  "withActor",
  "modelCalls",
  "named",
  "versioned",
  "checked",
  "agentCalls",
  "inRun",
  "blocked",
  "reasoned",
  "reviews",
  "decisions",
  "byPerson",
  "access",
] as const;

/** The name of a set. */
type SetName = (typeof SET_NAMES)[number];

/** Facts of the period. */
export interface Gathered extends Readonly<Record<SetName, EvidenceSet>> {
  readonly total: GroupFigures;
  readonly byDay: readonly GroupFigures[];
  readonly byOperation: readonly GroupFigures[];
  readonly byActor: readonly GroupFigures[];
  readonly byOutcome: readonly GroupFigures[];
  readonly models: readonly ModelUse[];
  readonly uses: readonly Use[];
  /** Blocks, refusals and flags: the first `MAX_LISTED`. */
  readonly listedBlocks: readonly ListedEntry[];
  readonly listedAccess: readonly ListedEntry[];
  readonly cases: readonly ReviewCase[];
  readonly losses: readonly RecordedLoss[];
  readonly erasures: readonly RecordedErasure[];
}

/** A report lists no more entries of one kind. It counts all. */
export const MAX_LISTED = 10_000;

/** Events that the viewer's access log records: `metadata.event` of an entry. */
const ACCESS_EVENTS: ReadonlySet<unknown> = new Set([
  "content search",
  "content revealed",
  "conversation revealed",
]);

/** Operations of calls that are no calls of a model. */
const NOT_MODEL: ReadonlySet<string> = new Set(["execute_tool", "invoke_agent", "retrieval"]);

/** Compact JWE with a direct key: encrypted content. */
const JWE = /^eyJ[\w-]+\.\.[\w-]+\.[\w-]*\.[\w-]+$/;

const HOUR_MS = 3_600_000;

/** Options of `gather()`. */
export interface GatherOptions {
  readonly range: TimeRange;
  /** For requests that still wait. */
  readonly now: Date;
  readonly verification: Verification;
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** Reads the entries of a period. */
export async function gather(
  storage: AuditStorage,
  { range, now, verification, onProgress }: GatherOptions,
): Promise<Gathered> {
  const figures = new Figures();
  const sets = new Sets();
  const models = new Models();
  const uses = new Uses();
  const reviewable: AuditEntry[] = [];
  const listedBlocks: ListedEntry[] = [];
  const listedAccess: ListedEntry[] = [];
  for await (const page of storage.pages(range, "oldest-first", onProgress)) {
    for (const line of page) {
      const entry = lineToEntry(line);
      if (entry === undefined) continue;
      const isNew = !isDuplicate(entry);
      figures.add(entry, figureFactsOf(entry));
      uses.add(entry);
      sets.add(entry, line);
      if (isNew && isModelCall(entry)) models.add(entry);
      if (isNew && isBlock(entry) && listedBlocks.length < MAX_LISTED)
        listedBlocks.push(listed(entry));
      if (isAccess(entry) && listedAccess.length < MAX_LISTED) listedAccess.push(listed(entry));
      if (mayConcernReview(line)) reviewable.push(entry);
    }
  }
  reviewable.push(...(await laterDecisions(storage, range)));
  const isIn = (time: string | undefined): boolean => {
    const at = Date.parse(time ?? "");
    return Number.isNaN(at) || (at >= (range.from ?? -Infinity) && at <= (range.to ?? Infinity));
  };
  return {
    ...figures.done(),
    ...sets.done(),
    models: models.done(),
    uses: uses.done(),
    listedBlocks,
    listedAccess,
    cases: await joinReviews(each(reviewable), now.getTime()),
    losses: verification.losses.filter(({ to }) => isIn(to)),
    erasures: verification.erasures.filter(({ at }) => isIn(at)),
  };
}

/** Decisions after the period, which may be about requests within it. */
async function laterDecisions(storage: AuditStorage, { to }: TimeRange): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  if (to === undefined) return found;
  for await (const page of storage.pages({ from: to + 1 }, "oldest-first"))
    for (const line of page) {
      const entry = mayConcernReview(line) ? lineToEntry(line) : undefined;
      if (entry?.review !== undefined) found.push(entry);
    }
  return found;
}

async function* each(entries: readonly AuditEntry[]): AsyncGenerator<AuditEntry, void, void> {
  yield* entries;
}

function isModelCall(entry: AuditEntry): boolean {
  return !isEvent(entry) && !NOT_MODEL.has(entry.operation ?? "");
}

function isBlock(entry: AuditEntry): boolean {
  return outcomeClass(entry) === "blocked" || !entry.safetyPassed;
}

function isAccess({ operation, metadata }: AuditEntry): boolean {
  return operation === "event" && ACCESS_EVENTS.has(metadata["event"]);
}

function eventOf({ metadata: { event } }: AuditEntry): string | null {
  return typeof event === "string" ? event : null;
}

function listed(entry: AuditEntry): ListedEntry {
  return {
    id: entry.id,
    time: entry.timestamp,
    operation: entry.operation ?? null,
    target: targetOf(entry) ?? eventOf(entry),
    actor: actorOf(entry) ?? null,
    outcome: entry.outcome ?? null,
    reason: entry.blockReason,
    detectors: entry.detectorsTriggered,
  };
}

/** The figures, as `ai-audit stats` counts them. */
class Figures {
  readonly #byDay = new Statistics();
  readonly #byOperation = new Statistics();
  readonly #byActor = new Statistics();
  readonly #byOutcome = new Statistics();

  add(entry: AuditEntry, facts: FigureFacts): void {
    this.#byDay.add(entry.timestamp.slice(0, 10), facts);
    this.#byOperation.add(entry.operation ?? "-", facts);
    this.#byActor.add(actorOf(entry) ?? "-", facts);
    this.#byOutcome.add(outcomeOf(entry), facts);
  }

  done(): Pick<Gathered, "total" | "byDay" | "byOperation" | "byActor" | "byOutcome"> {
    return {
      total: this.#byDay.total(),
      byDay: this.#byDay.groups().toSorted((a, b) => (a.group < b.group ? -1 : 1)),
      byOperation: mostFirst(this.#byOperation),
      byActor: mostFirst(this.#byActor),
      byOutcome: mostFirst(this.#byOutcome),
    };
  }
}

function mostFirst(statistics: Statistics): GroupFigures[] {
  return statistics.groups().toSorted((a, b) => b.calls - a.calls || (a.group < b.group ? -1 : 1));
}

/** The entries behind each finding. */
class Sets {
  readonly #sets: Readonly<Record<SetName, EvidenceSet>> = makeSets();

  add(entry: AuditEntry, line: string): void {
    const contents = [entry.inputContent, entry.outputContent].filter((text) => text !== null);
    const isCall = !isEvent(entry);
    const isOfModel = isModelCall(entry);
    const isOfAgent = ["execute_tool", "invoke_agent"].includes(entry.operation ?? "");
    const isReason = entry.blockReason !== null || entry.detectorsTriggered.length > 0;
    const isDecision = entry.review !== undefined;
    const members: Readonly<Record<SetName, boolean>> = {
      all: true,
      calls: isCall,
      timed: isCall && entry.latencyMs !== null,
      withContent: contents.length > 0,
      plain: contents.some((text) => text !== "" && !JWE.test(text)),
      withOutcome: entry.outcome !== undefined,
      withActor: (actorOf(entry) ?? agentOf(entry)) !== undefined,
      modelCalls: isOfModel,
      named: isOfModel && entry.model !== null,
      versioned: isOfModel && entry.responseModel !== undefined,
      checked: isOfModel && (entry.safetyChecks?.length ?? 0) > 0,
      agentCalls: isOfAgent,
      inRun: isOfAgent && (entry.run?.rootId ?? entry.run?.id) !== undefined,
      blocked: isBlock(entry),
      reasoned: isBlock(entry) && isReason,
      reviews: entry.operation === "human_review" || isDecision,
      decisions: isDecision,
      byPerson: isDecision && entry.actor?.kind === "user",
      access: isAccess(entry),
    };
    for (const name of SET_NAMES) if (members[name]) this.#sets[name].add(entry, line);
  }

  done(): Readonly<Record<SetName, EvidenceSet>> {
    return this.#sets;
  }
}

function makeSets(): Record<SetName, EvidenceSet> {
  return {
    all: new EvidenceSet(),
    calls: new EvidenceSet(),
    timed: new EvidenceSet(),
    withContent: new EvidenceSet(),
    plain: new EvidenceSet(),
    withOutcome: new EvidenceSet(),
    withActor: new EvidenceSet(),
    modelCalls: new EvidenceSet(),
    named: new EvidenceSet(),
    versioned: new EvidenceSet(),
    checked: new EvidenceSet(),
    agentCalls: new EvidenceSet(),
    inRun: new EvidenceSet(),
    blocked: new EvidenceSet(),
    reasoned: new EvidenceSet(),
    reviews: new EvidenceSet(),
    decisions: new EvidenceSet(),
    byPerson: new EvidenceSet(),
    access: new EvidenceSet(),
  };
}

/** The models in use. */
class Models {
  readonly #models = new Map<
    string,
    { readonly entry: AuditEntry; readonly versions: Set<string>; last: string }
  >();
  readonly #statistics = new Statistics();

  add(entry: AuditEntry): void {
    const key = keyOf(entry);
    this.#statistics.add(key, figureFactsOf(entry));
    let model = this.#models.get(key);
    if (model === undefined)
      this.#models.set(key, (model = { entry, versions: new Set(), last: entry.timestamp }));
    model.last = entry.timestamp;
    if (entry.responseModel !== undefined) model.versions.add(entry.responseModel);
  }

  done(): ModelUse[] {
    return mostFirst(this.#statistics).flatMap((figures) => {
      const model = this.#models.get(figures.group);
      if (model === undefined) return [];
      const { provider, model: name, timestamp } = model.entry;
      const versions = [...model.versions].toSorted();
      return [{ provider, model: name, versions, figures, first: timestamp, last: model.last }];
    });
  }
}

function keyOf({ provider, model }: AuditEntry): string {
  return JSON.stringify([provider, model]);
}

/** Periods of use: stretches of entries without an hour's pause. */
class Uses {
  readonly #uses: { from: string; to: string; entries: number }[] = [];

  add(entry: AuditEntry): void {
    const last = this.#uses.at(-1);
    const begin = Math.min(beganAt(entry), Date.parse(entry.timestamp));
    if (last !== undefined && begin - Date.parse(last.to) <= HOUR_MS) {
      if (entry.timestamp > last.to) last.to = entry.timestamp;
      last.entries += 1;
      return;
    }
    const from = Number.isNaN(begin) ? entry.timestamp : new Date(begin).toISOString();
    this.#uses.push({ from, to: entry.timestamp, entries: 1 });
  }

  done(): Use[] {
    return this.#uses;
  }
}
