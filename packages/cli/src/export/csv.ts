// Entries as a table for spreadsheets: RFC 4180.
import { ENTRY_FIELDS } from "@ai-audit/core/format";
import { csvCell } from "@ai-audit/core/reading";
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
  return `${(opened ? OPENED : COLUMNS).map((column) => csvCell(shown[column])).join(",")}\r\n`;
}

/** A call without a check passed none: its cell `safety_passed` is empty. */
function isUnchecked({ safety_passed: passed, safety_checks: checks }: LogRecord): boolean {
  return passed === true && !(Array.isArray(checks) && checks.length > 0);
}
