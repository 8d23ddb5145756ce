// Figures over entries, by group.
import type { AuditEntry } from "../format/entry.ts";
import { isDuplicate, isEvent, type OutcomeClass, outcomeClass } from "./call.ts";
import { bucketOf, Histogram } from "./histogram.ts";

/** Figures of one group. */
export interface GroupFigures {
  readonly group: string;
  readonly calls: number;
  /** Sums over the calls with a known number; null when none has one. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Milliseconds, within 1 %. */
  readonly latencyMs: {
    readonly p50: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
  };
  /** Calls that failed or timed out. */
  readonly errors: number;
  /** Calls that the caller aborted or abandoned, or that wait for a person. */
  readonly stopped: number;
  /** Calls and runs that a filter, a policy or a detector stopped. */
  readonly blocked: number;
  /** Entries that did not pass a safety check. */
  readonly flagged: number;
  /** Entries that record no call: reviews by people, guardrails. */
  readonly events: number;
}

/** The facts of an entry that figures count. */
export interface FigureFacts {
  /** Whether another entry records the same call: then nothing is counted. */
  readonly isDuplicate: boolean;
  /** Whether it records an event in a run, and no call. */
  readonly isEvent: boolean;
  readonly ended: OutcomeClass;
  readonly safetyPassed: boolean;
  readonly latencyMs: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

/** The facts of an entry that figures count. */
export function figureFactsOf(entry: AuditEntry): FigureFacts {
  const { safetyPassed, latencyMs, inputTokens, outputTokens } = entry;
  return {
    isDuplicate: isDuplicate(entry),
    isEvent: isEvent(entry),
    ended: outcomeClass(entry),
    safetyPassed,
    latencyMs,
    inputTokens,
    outputTokens,
  };
}

class Group {
  #calls = 0;
  #inputTokens: number | null = null;
  #outputTokens: number | null = null;
  #errors = 0;
  #stopped = 0;
  #events = 0;
  #blocked = 0;
  #flagged = 0;
  readonly #latency = new Histogram();

  add(facts: FigureFacts, bucket: number | null): void {
    const { inputTokens, outputTokens, safetyPassed, ended } = facts;
    if (ended === "blocked") this.#blocked += 1;
    if (!safetyPassed) this.#flagged += 1;
    if (facts.isEvent) {
      this.#events += 1;
      return;
    }
    this.#calls += 1;
    if (ended === "error") this.#errors += 1;
    if (ended === "stopped") this.#stopped += 1;
    if (inputTokens !== null) this.#inputTokens = (this.#inputTokens ?? 0) + inputTokens;
    if (outputTokens !== null) this.#outputTokens = (this.#outputTokens ?? 0) + outputTokens;
    if (bucket !== null) this.#latency.addBucket(bucket);
  }

  merge(other: Group): void {
    this.#calls += other.#calls;
    this.#inputTokens = sumOf(this.#inputTokens, other.#inputTokens);
    this.#outputTokens = sumOf(this.#outputTokens, other.#outputTokens);
    this.#errors += other.#errors;
    this.#stopped += other.#stopped;
    this.#events += other.#events;
    this.#blocked += other.#blocked;
    this.#flagged += other.#flagged;
    this.#latency.merge(other.#latency);
  }

  figures(group: string): GroupFigures {
    return {
      group,
      calls: this.#calls,
      inputTokens: this.#inputTokens,
      outputTokens: this.#outputTokens,
      latencyMs: {
        p50: this.#latency.quantile(0.5),
        p95: this.#latency.quantile(0.95),
        p99: this.#latency.quantile(0.99),
      },
      errors: this.#errors,
      stopped: this.#stopped,
      blocked: this.#blocked,
      flagged: this.#flagged,
      events: this.#events,
    };
  }
}

function sumOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : a + b;
}

/** The bucket of an entry's latency, for `Statistics.add()`. */
export function latencyBucketOf({ latencyMs }: FigureFacts): number | null {
  return latencyMs === null ? null : bucketOf(latencyMs);
}

/** Counts calls and events by group. A call that two layers recorded counts once. */
export class Statistics {
  readonly #groups = new Map<string, Group>();

  /** @param bucket `latencyBucketOf(facts)`, where several statistics count the same entry. */
  add(name: string, facts: FigureFacts, bucket: number | null = latencyBucketOf(facts)): void {
    if (facts.isDuplicate) return;
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, (group = new Group()));
    group.add(facts, bucket);
  }

  groups(): GroupFigures[] {
    return [...this.#groups].map(([name, group]) => group.figures(name));
  }

  total(): GroupFigures {
    const total = new Group();
    for (const group of this.#groups.values()) total.merge(group);
    return total.figures("total");
  }
}
