// Figures over entries, by group.
import type { AuditEntry } from "@ai-audit/core";
import { Histogram } from "./histogram.ts";

/** Figures of one group. */
export interface GroupFigures {
  readonly group: string;
  readonly calls: number;
  /** Sums over the entries that know theirs; null when none does. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Milliseconds, within 1 %. */
  readonly latencyMs: {
    readonly p50: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
  };
  readonly errors: number;
  readonly blocked: number;
  /** Entries that did not pass a safety check. */
  readonly flagged: number;
}

class Group {
  #calls = 0;
  #inputTokens: number | null = null;
  #outputTokens: number | null = null;
  #errors = 0;
  #blocked = 0;
  #flagged = 0;
  readonly #latency = new Histogram();

  add({ inputTokens, outputTokens, outcome, safetyPassed, latencyMs }: AuditEntry): void {
    this.#calls += 1;
    if (inputTokens !== null) this.#inputTokens = (this.#inputTokens ?? 0) + inputTokens;
    if (outputTokens !== null) this.#outputTokens = (this.#outputTokens ?? 0) + outputTokens;
    if (outcome === "blocked") this.#blocked += 1;
    else if (outcome !== undefined && outcome !== "ok") this.#errors += 1;
    if (!safetyPassed) this.#flagged += 1;
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
      blocked: this.#blocked,
      flagged: this.#flagged,
    };
  }
}

/** Counts entries, each call once. */
export class Statistics {
  readonly #groupOf: (entry: AuditEntry) => string;
  readonly #groups = new Map<string, Group>();
  readonly #total = new Group();

  constructor(groupOf: (entry: AuditEntry) => string) {
    this.#groupOf = groupOf;
  }

  add(entry: AuditEntry): void {
    if (entry.run?.sameCallAs !== undefined) return;
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
