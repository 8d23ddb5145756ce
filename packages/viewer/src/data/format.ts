// Figures and times for people. The locale is en-US everywhere: one log shows the same on every
// machine.

const counts: Intl.NumberFormat = new Intl.NumberFormat("en-US");
const short: Intl.NumberFormat = new Intl.NumberFormat("en-US", {
  notation: "compact",
  maximumFractionDigits: 1,
});

/** `1,234,567`. */
export function formatCount(count: number): string {
  return counts.format(count);
}

/** `1.2M`. */
export function formatShort(count: number): string {
  return short.format(count);
}

/** `3 entries`. */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Milliseconds: `842 ms`, `3.2 s`, `4 min 10 s`, `5 h 12 min`, `3 d 4 h`; `–` when unknown. */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A time of the log to the second: UTC. */
export function formatTime(time: string | number): string {
  const text = typeof time === "number" ? new Date(time).toISOString() : time;
  return `${text.slice(0, 10)} ${text.slice(11, 19)}`;
}

/** The UTC day of a time: `2026-11-30`. */
export function formatDay(time: string | number): string {
  return formatTime(time).slice(0, 10);
}
