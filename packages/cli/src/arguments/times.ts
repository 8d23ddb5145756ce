// Points in time as people type them. Without a zone they are UTC, like all times in the log.
import { InvalidArgumentError } from "commander";
import { DAY_MS } from "@ai-audit/core/format";

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

/** The accepted forms, for help. */
export const TIME_FORMS =
  "2026-11-23, 2026-11-23T14:30, today, yesterday, or back from now: 90s, 30m, 2h, 7d, 4w";

/** Milliseconds of a duration: `90s`, `30m`, `26h`, `7d`. */
export function parseDuration(text: string): number {
  const [, amount = "", unit = ""] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined)
    throw new InvalidArgumentError("It must be a duration: 90s, 30m, 26h, 7d, 4w.");
  return Number(amount) * unitMs;
}

/**
 * Milliseconds since the epoch. A day is its first millisecond at the beginning of a range, and its
 * last at the end.
 */
export function parseTime(text: string, edge: "from" | "to", now: Date): number {
  const [, amount, unit = ""] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return now.getTime() - Number(amount) * (UNIT_MS[unit] ?? 0);
  const midnight = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  if (text === "now") return now.getTime();
  if (text === "today") return edge === "from" ? midnight : midnight + DAY_MS - 1;
  if (text === "yesterday") return edge === "from" ? midnight - DAY_MS : midnight - 1;
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    const day = Date.parse(`${text}T00:00:00Z`);
    if (!Number.isNaN(day)) return edge === "from" ? day : day + DAY_MS - 1;
  }
  if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)) {
    const zoned = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`;
    const time = Date.parse(zoned.replace(" ", "T"));
    if (!Number.isNaN(time)) return time;
  }
  throw new InvalidArgumentError(`It must be a time: ${TIME_FORMS}.`);
}
