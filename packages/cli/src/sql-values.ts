// Values of SQL as people and as programs read them.
import type { SqlRow } from "@ai-audit/core/sql";

type SqlValue = SqlRow[string] | undefined;

/** Whether a value belongs to a column of numbers. */
export function isFigure(value: SqlValue): boolean {
  return value === null || typeof value === "number" || typeof value === "bigint";
}

/** A cell of a table; `-` where there is nothing. */
export function textOfCell(value: SqlValue): string {
  const plain = plainOf(value);
  if (plain === null) return "-";
  return typeof plain === "string" ? plain : JSON.stringify(plain);
}

/** A row as JSON has it. */
export function jsonOfRow(row: SqlRow): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainOf(value)]));
}

/** Times as in the log, bytes as hex digits, numbers beyond 2^53 as text: nothing is rounded. */
function plainOf(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return isExact(value) ? Number(value) : value.toString();
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plainOf(member)]));
  return value;
}

function isExact(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
}
