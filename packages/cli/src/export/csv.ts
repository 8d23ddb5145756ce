// Entries as a table for spreadsheets: RFC 4180.
import type { LogRecord } from "./redact.ts";

/** Columns, named as in the log. What has members is JSON in its cell. */
const COLUMNS = [
  "id",
  "timestamp",
  "operation",
  "outcome",
  "provider",
  "model",
  "response_model",
  "conversation_id",
  "subject",
  "safety_passed",
  "detectors_triggered",
  "block_reason",
  "alerts",
  "latency_ms",
  "time_to_first_token_ms",
  "input_tokens",
  "output_tokens",
  "finish_reasons",
  "error",
  "metadata",
  "input_hash",
  "output_hash",
  "input_content",
  "output_content",
] as const;

/** With opened content. */
const OPENED = [...COLUMNS.slice(0, -2), "input", "output"] as const;

/** The first line. */
export function csvHeader(opened: boolean): string {
  return `${(opened ? OPENED : COLUMNS).join(",")}\r\n`;
}

/** One entry's line. */
export function csvRow(record: LogRecord, opened: boolean): string {
  return `${(opened ? OPENED : COLUMNS).map((column) => cell(record[column])).join(",")}\r\n`;
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // What begins like a formula is run by spreadsheets, and prompts are written by strangers (OWASP, CSV injection).
  const tame = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame;
}
