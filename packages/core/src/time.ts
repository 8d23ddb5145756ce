// Units and spans of time.

/** Milliseconds of a UTC day. */
export const DAY_MS = 86_400_000;

/** Milliseconds of an hour. */
export const HOUR_MS = 3_600_000;

/** Milliseconds since `start` (of `performance.now()`), to the microsecond. */
export function elapsedMs(start: number): number {
  return Math.round((performance.now() - start) * 1000) / 1000;
}
