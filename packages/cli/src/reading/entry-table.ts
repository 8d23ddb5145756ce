// Entries as rows.
import type { AuditEntry } from "@ai-audit/core";
import { formatMs, formatTime, formatTokens } from "../output/format.ts";
import type { Output, Style } from "../output/output.ts";
import { type Column, Table } from "../output/table.ts";

/** A table of entries. */
export function entryTable(out: Output): Table<AuditEntry> {
  return new Table(out, COLUMNS);
}

/** How the call ended; entries of the Python original, and some made by hand, know only whether something was flagged. */
export function outcomeOf({ outcome, safetyPassed }: AuditEntry): string {
  return outcome ?? (safetyPassed ? "-" : "flagged");
}

/** How an outcome looks. */
export function outcomeStyle(entry: AuditEntry): Style | undefined {
  if (!entry.safetyPassed || entry.outcome === "blocked") return "red";
  return entry.outcome === undefined || entry.outcome === "ok" ? undefined : "yellow";
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: "TIME (UTC)", value: ({ timestamp }) => formatTime(timestamp), width: 19 },
  { title: "ID", value: ({ id }) => id, width: 36 },
  { title: "MODEL", value: ({ model }) => model ?? "-", width: 16, maxWidth: 28 },
  { title: "OUTCOME", value: outcomeOf, style: outcomeStyle, width: 8 },
  { title: "LATENCY", value: ({ latencyMs }) => formatMs(latencyMs), align: "right", width: 7 },
  { title: "TOKENS", value: tokensOf, align: "right", width: 9 },
  { title: "CONVERSATION", value: ({ conversationId }) => conversationId ?? "-", maxWidth: 24 },
];

/** Input and output tokens: `12>30`. */
function tokensOf({ inputTokens, outputTokens }: AuditEntry): string {
  if (inputTokens === null && outputTokens === null) return "-";
  return `${formatTokens(inputTokens)}>${formatTokens(outputTokens)}`;
}
