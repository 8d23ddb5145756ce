// Values of SQL as people and as programs read them.
import type { SqlRow } from "@ai-audit/core/sql";

type SqlValue = SqlRow[string] | undefined;

/** Whether a value belongs to a column of numbers. */
export function isFigure(value: SqlValue): boolean {
  return value === null || typeof value === "number" || typeof value === "bigint";
}

/** A cell of a table; `-` if there is no value. */
export function textOfCell(value: SqlValue): string {
  if (value === null || value === undefined) return "-";
  if (typeof value === "string") return value;
  const json = toJsonText(value);
  return json.startsWith('"') ? json.slice(1, -1) : json; // of a time, of bytes, of a large number
}

/**
 * A value as JSON: times as in the log, bytes as hex digits, numbers beyond 2^53 as text: nothing
 * is rounded.
 */
export function toJsonText(value: SqlRow | SqlValue): string {
  return JSON.stringify(value ?? null, plain); // without a copy of a million rows
}

/**
 * For `JSON.stringify`, which turns times into strings and a `Buffer` into an object before it
 * calls this.
 */
function plain(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") return isExact(value) ? Number(value) : value.toString();
  if (typeof value !== "object") return value;
  const own = this[name];
  return own instanceof Uint8Array ? Buffer.from(own).toString("hex") : value;
}

function isExact(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
}
