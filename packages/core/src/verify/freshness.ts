// The age of a log: its newest sealed time, and whether that is too old.
import type { SegmentReport } from "./segment-report.ts";
import { DAY_MS } from "../time.ts";

/** A clock further ahead than this gets a remark. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** The findings about a log's newest times. */
export interface Freshness {
  /** The newest time that is sealed, in milliseconds since the epoch. */
  readonly newest: number | undefined;
  /** Why the log counts as too old. */
  readonly stale: readonly string[];
  readonly remarks: readonly string[];
}

interface FreshnessOptions {
  readonly now: Date;
  /** Milliseconds. */
  readonly maxAgeMs: number;
  /** Whether each writer that did not end in order must be new enough. */
  readonly eachWriter: boolean;
}

/** Finds the newest sealed time: of proven segments, or of all where nothing is proven. */
export function findFreshness(
  reports: readonly SegmentReport[],
  { now, maxAgeMs, eachWriter }: FreshnessOptions,
): Freshness {
  const hasProven = reports.some(({ isProven }) => isProven);
  const believed = reports.filter(({ isProven }) => isProven || !hasProven);
  const newest = newestOf(believed);
  const ahead = newest === undefined ? 0 : newest - now.getTime();
  const remarks =
    ahead > CLOCK_TOLERANCE_MS
      ? [`the newest sealed time is ${spell(ahead)} ahead of this clock`]
      : [];
  if (!Number.isFinite(maxAgeMs)) return { newest, stale: [], remarks };
  const groups: (readonly [string, readonly SegmentReport[]])[] = eachWriter
    ? [...writersAtWork(believed)]
    : [["the log", believed]];
  const stale = groups.flatMap(([who, group]) => {
    const latest = newestOf(group);
    const age = latest === undefined ? Infinity : now.getTime() - latest;
    if (age <= maxAgeMs) return [];
    const beats = group.some(({ hasHeartbeat }) => hasHeartbeat);
    const since = latest === undefined ? "nothing" : new Date(latest).toISOString();
    const doubt = beats ? "and it has heartbeats" : "quiet or cut: no heartbeat";
    return [`${who} ends at ${since}, ${spell(age)} ago: ${doubt}`];
  });
  return { newest, stale, remarks };
}

/** By stream: the segments of writers that did not end in order. */
function writersAtWork(
  reports: readonly SegmentReport[],
): ReadonlyMap<string, readonly SegmentReport[]> {
  const byStream = Map.groupBy(
    reports.filter(({ open }) => open !== undefined),
    ({ open }) => `writer ${open?.stream ?? ""}`,
  );
  return new Map(
    [...byStream].filter(([, segments]) => {
      const last = segments.toSorted((a, b) => (a.open?.seq ?? 0) - (b.open?.seq ?? 0)).at(-1);
      return last?.closedFor !== "close";
    }),
  );
}

function newestOf(reports: readonly SegmentReport[]): number | undefined {
  const times = reports.map(({ newest }) => newest ?? -Infinity);
  const newest = times.reduce((max, time) => Math.max(max, time), -Infinity);
  return Number.isFinite(newest) ? newest : undefined;
}

/** A duration for people: `3 days`. */
function spell(ms: number): string {
  if (!Number.isFinite(ms)) return "ever";
  const units = [
    [DAY_MS, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
    [1000, "second"],
  ] as const;
  const [unitMs, name] = units.find(([unit]) => ms >= unit) ?? [1000, "second"];
  const count = Math.floor(ms / unitMs);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
