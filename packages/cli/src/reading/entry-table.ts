// Entries as rows of a table.
import { actorOf, agentOf, flagsOf, outcomeOf, targetOf } from "@ai-audit/core/reading";
import type { AuditEntry } from "@ai-audit/core";
import { formatMs, formatTime, formatTokens } from "../output/format.ts";
import type { Output, Style } from "../output/output.ts";
import { type Column, Table } from "../output/table.ts";

/** A table of entries. */
export function entryTable(out: Output): Table<AuditEntry> {
  return new Table(out, COLUMNS);
}

/** The style of an outcome. A question to a person is no failure. */
export function outcomeStyle(entry: AuditEntry): Style | undefined {
  if (!entry.safetyPassed || entry.outcome === "blocked") return "red";
  const isQuiet = entry.outcome === undefined || QUIET.has(entry.outcome);
  return isQuiet ? undefined : "yellow";
}

const QUIET: ReadonlySet<string> = new Set(["ok", "interrupted"]);

function flagStyle({ safetyPassed }: AuditEntry): Style | undefined {
  return safetyPassed ? undefined : "red";
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: "TIME (UTC)", value: ({ timestamp }) => formatTime(timestamp), width: 19 },
  { title: "ID", value: ({ id }) => id, width: 36 },
  { title: "OPERATION", value: ({ operation }) => operation ?? "-", width: 12, maxWidth: 20 },
  { title: "MODEL OR TOOL", value: (entry) => targetOf(entry) ?? "-", width: 16, maxWidth: 28 },
  { title: "AGENT", value: (entry) => agentOf(entry) ?? "-", width: 8, maxWidth: 20 },
  { title: "ACTOR", value: (entry) => actorOf(entry) ?? "-", width: 8, maxWidth: 20 },
  { title: "OUTCOME", value: outcomeOf, style: outcomeStyle, width: 8 },
  { title: "FLAGS", value: (entry) => flagsOf(entry) || "-", style: flagStyle, maxWidth: 32 },
  { title: "LATENCY", value: ({ latencyMs }) => formatMs(latencyMs), align: "right", width: 7 },
  { title: "TOKENS", value: tokensOf, align: "right", width: 9 },
  { title: "CONVERSATION", value: ({ conversationId }) => conversationId ?? "-", maxWidth: 24 },
];

/** Input and output tokens: `12>30`. */
function tokensOf({ inputTokens, outputTokens }: AuditEntry): string {
  if (inputTokens === null && outputTokens === null) return "-";
  return `${formatTokens(inputTokens)}>${formatTokens(outputTokens)}`;
}
