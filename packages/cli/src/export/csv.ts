// Entries as a table for spreadsheets: RFC 4180.
import { ENTRY_FIELDS } from "@ai-audit/core/format";
import type { LogRecord } from "./redact.ts";

/**
 * Every field of an entry, in the order of the log's lines and named as there. Objects are JSON in
 * their cell.
 */
const COLUMNS: readonly string[] = ENTRY_FIELDS.map(({ name }) => name);

/** With opened content in place of the stored one: `input` for `input_content`. */
const OPENED: readonly string[] = COLUMNS.map((name) => name.replace(/_content$/, ""));

/** The first line. */
export function csvHeader(opened: boolean): string {
  return `${(opened ? OPENED : COLUMNS).join(",")}\r\n`;
}

/** One entry's line. */
export function csvRow(record: LogRecord, opened: boolean): string {
  const shown = isUnchecked(record) ? { ...record, safety_passed: null } : record;
  return `${(opened ? OPENED : COLUMNS).map((column) => cell(shown[column])).join(",")}\r\n`;
}

/** A call without a check passed none: its cell `safety_passed` is empty. */
function isUnchecked({ safety_passed: passed, safety_checks: checks }: LogRecord): boolean {
  return passed === true && !(Array.isArray(checks) && checks.length > 0);
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // Spreadsheets run a cell that begins like a formula, and attackers can write prompts (OWASP, CSV
  // injection). The last four are the full-width forms, which some take for the others.
  const tame = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame;
}
