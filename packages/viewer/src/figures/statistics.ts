// Figures over entries, by group.
import type { AuditEntry } from "@ai-audit/core";
import { isDuplicate, isEvent, outcomeClass } from "./call.ts";
import { Histogram } from "./histogram.ts";

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

  add(entry: AuditEntry): void {
    const { inputTokens, outputTokens, safetyPassed, latencyMs } = entry;
    const ended = outcomeClass(entry);
    if (ended === "blocked") this.#blocked += 1;
    if (!safetyPassed) this.#flagged += 1;
    if (isEvent(entry)) {
      this.#events += 1;
      return;
    }
    this.#calls += 1;
    if (ended === "error") this.#errors += 1;
    if (ended === "stopped") this.#stopped += 1;
    if (inputTokens !== null) this.#inputTokens = (this.#inputTokens ?? 0) + inputTokens;
    if (outputTokens !== null) this.#outputTokens = (this.#outputTokens ?? 0) + outputTokens;
    if (latencyMs !== null) this.#latency.add(latencyMs);
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

/** Counts calls and events by group. A call that two layers recorded counts once. */
export class Statistics {
  readonly #groupOf: (entry: AuditEntry) => string;
  readonly #groups = new Map<string, Group>();
  readonly #total = new Group();

  constructor(groupOf: (entry: AuditEntry) => string) {
    this.#groupOf = groupOf;
  }

  add(entry: AuditEntry): void {
    if (isDuplicate(entry)) return;
    const name = this.#groupOf(entry);
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, (group = new Group()));
    group.add(entry);
    this.#total.add(entry);
  }

  groups(): GroupFigures[] {
    return [...this.#groups].map(([name, group]) => group.figures(name));
  }

  total(): GroupFigures {
    return this.#total.figures("total");
  }
}
