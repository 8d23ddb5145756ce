// Figures for people. Locale en-US everywhere: the same log prints the same on every machine.

let counts: Intl.NumberFormat | undefined; // made when first used: it takes milliseconds

/** `1,234,567`. */
export function formatCount(count: number): string {
  counts ??= new Intl.NumberFormat("en-US");
  return counts.format(count);
}

/** `"3 entries"`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Tokens; `?` when unknown. */
export function formatTokens(tokens: number | null): string {
  return tokens === null ? "?" : formatCount(tokens);
}

/** Milliseconds: `842 ms`, `3.2 s`, `4 min 10 s`; `-` when unknown. */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "-";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes: `512 B`, `3.4 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? "B"}`;
}

/** An entry's time to the second, as in the log: UTC. */
export function formatTime(timestamp: string): string {
  return `${timestamp.slice(0, 10)} ${timestamp.slice(11, 19)}`;
}

/** The text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
