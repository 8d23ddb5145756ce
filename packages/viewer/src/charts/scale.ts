// Scales of charts: round tick values, and times.

/** Round values from 0 to at least `max`, three to six of them. */
export function ticksTo(max: number): readonly number[] {
  if (max <= 0) return [0, 1];
  const raw = max / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= raw) ?? raw;
  const count = Math.ceil(max / step);
  return Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const STEPS: readonly number[] = [
  60_000,
  5 * 60_000,
  15 * 60_000,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  2 * DAY_MS,
  7 * DAY_MS,
  14 * DAY_MS,
  28 * DAY_MS,
  91 * DAY_MS,
  364 * DAY_MS,
];

/** A time on an axis. */
export interface TimeTick {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly label: string;
}

/** Round UTC times within a range, at most `most` of them. */
export function timeTicks(from: number, to: number, most: number): readonly TimeTick[] {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? (to - from) / most;
  const ticks: TimeTick[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step)
    ticks.push({ at, label: labelOf(at, step) });
  return ticks;
}

function labelOf(at: number, step: number): string {
  const iso = new Date(at).toISOString();
  if (step >= DAY_MS) return iso.slice(5, 10);
  return at % DAY_MS === 0 ? iso.slice(5, 10) : iso.slice(11, 16);
}
