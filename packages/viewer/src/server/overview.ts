// The figures of a selection: in all, over time, by group, and hours of silence.
import type { TimeRange } from "@ai-audit/core";
import { Histogram, latencyBucketOf, Statistics } from "@ai-audit/core/reading";
import {
  type GroupName,
  GROUPS,
  type Overview,
  type SilentSpan,
  type Timeline,
} from "../data/rows.ts";
import type { EntryIndex } from "./entry-index.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Widths of a step of the timeline. */
const STEPS: readonly number[] = [
  60_000,
  5 * 60_000,
  15 * 60_000,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  DAY_MS,
  7 * DAY_MS,
  28 * DAY_MS,
];
const MAX_STEPS = 120;

/** Groups of a kind that are listed, those with the most calls first. */
const MAX_GROUPS = 100;

/** The selection that an overview is about. */
export interface OverviewOptions {
  /** Times of requests without a decision. */
  readonly waiting: readonly number[];
  readonly range: TimeRange;
}

/** The overview of some places of the index. */
export function overviewOf(
  index: EntryIndex,
  places: Uint32Array,
  { waiting, range }: OverviewOptions,
): Overview {
  const groups = new Map(GROUPS.map((name) => [name, new Statistics()]));
  for (const place of places) {
    const facts = index.factsAt(place);
    const bucket = latencyBucketOf(facts);
    for (const [name, statistics] of groups)
      statistics.add(index.textAt(place, name) ?? "-", facts, bucket);
  }
  const by = (name: GroupName): Overview["by"][GroupName] =>
    (groups.get(name) ?? new Statistics())
      .groups()
      .toSorted((a, b) => b.calls - a.calls || (a.group < b.group ? -1 : 1))
      .slice(0, MAX_GROUPS);
  return {
    total: (groups.get("model") ?? new Statistics()).total(),
    range: { from: range.from ?? null, to: range.to ?? null },
    waiting: waiting.length,
    timeline: timelineOf(index, places, waiting),
    by: {
      model: by("model"),
      provider: by("provider"),
      actor: by("actor"),
      agent: by("agent"),
      outcome: by("outcome"),
    },
    silences: silencesIn(index, places),
  };
}

function timelineOf(index: EntryIndex, places: Uint32Array, waiting: readonly number[]): Timeline {
  const first = places[0] === undefined ? 0 : index.timeAt(places[0]);
  const last = index.timeAt(places.at(-1) ?? 0);
  const stepMs =
    STEPS.find((step) => (last - first) / step <= MAX_STEPS - 1) ??
    Math.ceil((last - first) / MAX_STEPS / DAY_MS) * DAY_MS;
  const from = Math.floor(first / stepMs) * stepMs;
  const count = places.length === 0 ? 0 : Math.floor((last - from) / stepMs) + 1;
  const zeros = (): number[] => Array.from({ length: count }, () => 0);
  const bars = {
    calls: zeros(),
    blocked: zeros(),
    errors: zeros(),
    stopped: zeros(),
    inputTokens: zeros(),
    outputTokens: zeros(),
    waiting: zeros(),
  };
  const latencies = Array.from({ length: count }, () => new Histogram());
  for (const place of places) {
    const facts = index.factsAt(place);
    if (facts.isDuplicate) continue;
    const bar = Math.floor((index.timeAt(place) - from) / stepMs);
    if (facts.ended === "blocked") add(bars.blocked, bar, 1);
    if (facts.isEvent) continue;
    add(bars.calls, bar, 1);
    if (facts.ended === "error") add(bars.errors, bar, 1);
    if (facts.ended === "stopped") add(bars.stopped, bar, 1);
    add(bars.inputTokens, bar, facts.inputTokens ?? 0);
    add(bars.outputTokens, bar, facts.outputTokens ?? 0);
    if (facts.latencyMs !== null) latencies[bar]?.add(facts.latencyMs);
  }
  for (const at of waiting)
    if (at >= from && at <= last) add(bars.waiting, Math.floor((at - from) / stepMs), 1);
  return {
    from,
    stepMs,
    ...bars,
    p50: latencies.map((latency) => latency.quantile(0.5)),
    p95: latencies.map((latency) => latency.quantile(0.95)),
    p99: latencies.map((latency) => latency.quantile(0.99)),
  };
}

/** An hour counts as busy from this number of entries on, averaged over the days. */
const BUSY = 3;
/** Silences that are listed, the most surprising first. */
const MAX_SILENCES = 50;

/** Hours without an entry, where the same hours of the other days are busy. */
function silencesIn(index: EntryIndex, places: Uint32Array): SilentSpan[] {
  if (places.length === 0) return [];
  const first = Math.floor(index.timeAt(places[0] ?? 0) / HOUR_MS);
  const last = Math.floor(index.timeAt(places.at(-1) ?? 0) / HOUR_MS);
  if (last - first > 24 * 366 * 10) return []; // ids of a forged log may hold any time
  const hours = new Uint32Array(last - first + 1);
  for (const place of places) {
    const hour = Math.floor(index.timeAt(place) / HOUR_MS) - first;
    hours[hour] = (hours[hour] ?? 0) + 1;
  }
  const usual = Array.from({ length: 24 }, (_, hour) => {
    const same = [...hours].filter((_count, at) => (first + at) % 24 === hour);
    return same.reduce((sum, count) => sum + count, 0) / Math.max(1, same.length);
  });
  const spans: SilentSpan[] = [];
  let begin: number | undefined;
  let missed = 0;
  for (let at = 0; at < hours.length; at += 1) {
    const expected = usual[(first + at) % 24] ?? 0;
    if (hours[at] === 0 && expected >= BUSY) {
      begin ??= at;
      missed += expected;
    } else if (begin !== undefined) {
      spans.push({ from: (first + begin) * HOUR_MS, to: (first + at) * HOUR_MS, usual: missed });
      begin = undefined;
      missed = 0;
    }
  }
  return spans
    .toSorted((a, b) => b.usual - a.usual)
    .slice(0, MAX_SILENCES)
    .toSorted((a, b) => a.from - b.from);
}

function add(values: number[], bar: number, amount: number): void {
  values[bar] = (values[bar] ?? 0) + amount;
}
