// One entry as labelled values.
import {
  actorOf,
  agentOf,
  errorMessage,
  type OpenedContent,
  type OpenedField,
  outcomeOf,
  safetyVerdictOf,
  textOf,
  toolOf,
} from "@ai-audit/core/reading";
import type { AuditEntry } from "@ai-audit/core";
import { readDiagnostics, toJson } from "@ai-audit/core/format";
import { outcomeStyle } from "./entry-table.ts";
import type { Field } from "../output/fields.ts";
import { formatMs, formatTokens } from "../output/format.ts";

/** All fields of an entry, the most asked for first. Absent ones are left out. */
export function describeEntry(entry: AuditEntry, content: OpenedContent): Field[] {
  return [
    { label: "entry", text: entry.id },
    { label: "recorded", text: entry.timestamp },
    ...known("operation", entry.operation),
    ...known("provider", entry.provider),
    ...known("model", modelOf(entry)),
    ...known("tool", toolOf(entry)),
    ...known("agent", agentOf(entry)),
    ...known("actor", actorText(entry)),
    ...known("review", jsonOf(entry.review)),
    ...known("server", serverText(entry)),
    { label: "outcome", text: outcomeOf(entry), style: outcomeStyle(entry) },
    ...known("error", entry.error && errorOf(entry.error, errorMessage(entry, content))),
    { label: "safety", text: safetyOf(entry), style: entry.safetyPassed ? undefined : "red" },
    ...known("alerts", entry.alerts.join("; ")),
    ...known("latency", latencyOf(entry)),
    ...known("tokens", tokensOf(entry)),
    ...known("finish", entry.finishReasons?.join(", ")),
    ...known("conversation", entry.conversationId),
    ...known("subject", entry.subject),
    ...known("metadata", jsonOf(entry.metadata)),
    ...known("parameters", jsonOf(entry.parameters)),
    ...known("run", jsonOf(entry.run)),
    ...known("trace", jsonOf(entry.trace)),
    ...known("response id", entry.responseId),
    ...known("request id", entry.requestId),
    ...known("call", entry.call),
    ...known("input hash", entry.inputHash),
    ...known("output hash", entry.outputHash),
    contentField("input", content.input),
    contentField("output", content.output),
    ...diagnosticsField(content.diagnostics),
  ];
}

/** `ada (user, clerk), on behalf of acme`. */
function actorText(entry: AuditEntry): string | undefined {
  const { actor } = entry;
  if (actor === undefined) return actorOf(entry);
  const { id, kind, role, onBehalfOf } = actor;
  const what = role === undefined ? kind : `${kind}, ${role}`;
  return `${id} (${what})${onBehalfOf === undefined ? "" : `, on behalf of ${onBehalfOf}`}`;
}

function serverText({ server }: AuditEntry): string | undefined {
  return (
    server && (server.port === undefined ? server.address : `${server.address}:${server.port}`)
  );
}

function known(label: string, text: string | null | undefined): Field[] {
  return text === null || text === undefined || text === "" ? [] : [{ label, text }];
}

function modelOf({ model, responseModel }: AuditEntry): string | null {
  if (responseModel === undefined || responseModel === model) return model;
  return `${model ?? "-"} (served: ${responseModel})`;
}

function errorOf(
  { type, code, status }: NonNullable<AuditEntry["error"]>,
  message: string | undefined,
): string {
  const details = [code, status === undefined ? undefined : `HTTP ${status}`].filter(
    (detail) => detail !== undefined,
  );
  const kind = details.length === 0 ? type : `${type} (${details.join(", ")})`;
  return message === undefined ? kind : `${kind}: ${message}`;
}

function safetyOf(entry: AuditEntry): string {
  const { detectorsTriggered, blockReason, safetyChecks = [] } = entry;
  const verdict = safetyVerdictOf(entry);
  const parts = verdict === undefined ? [] : [verdict ? "passed" : "not passed"];
  if (detectorsTriggered.length > 0) parts.push(`triggered: ${detectorsTriggered.join(", ")}`);
  if (blockReason !== null) parts.push(`reason: ${blockReason}`);
  if (safetyChecks.length > 0) parts.push(`checks: ${safetyChecks.join(", ")}`);
  else if (verdict === undefined) parts.push("no check is on record");
  return parts.join("; ");
}

function latencyOf({
  latencyMs,
  timeToFirstTokenMs,
  attempts,
  streamed,
}: AuditEntry): string | undefined {
  const notes = [
    ...(timeToFirstTokenMs === undefined
      ? []
      : [`first token after ${formatMs(timeToFirstTokenMs)}`]),
    ...(streamed ? ["streamed"] : []),
    ...(attempts === undefined || attempts <= 1 ? [] : [`${attempts} attempts`]),
  ];
  if (latencyMs === null && notes.length === 0) return undefined;
  return notes.length === 0 ? formatMs(latencyMs) : `${formatMs(latencyMs)} (${notes.join(", ")})`;
}

function tokensOf({ inputTokens, outputTokens, usage }: AuditEntry): string | undefined {
  if (inputTokens === null && outputTokens === null) return undefined;
  const source = usage?.source === undefined ? "" : ` (${usage.source})`;
  return `${formatTokens(inputTokens)} in, ${formatTokens(outputTokens)} out${source}`;
}

function jsonOf(value: object | undefined): string | undefined {
  return value === undefined || Object.keys(value).length === 0 ? undefined : JSON.stringify(value);
}

/** The provider's words beside the error's message, which stands with the error. */
function diagnosticsField(field: OpenedField | undefined): Field[] {
  if (field === undefined) return [];
  if (field.state !== "open") return [contentField("diagnostics", field)];
  const { errorMessage: _message, ...further } = readDiagnostics(field.value);
  if (Object.keys(further).length === 0) return [];
  return [contentField("diagnostics", { state: "open", value: toJson(further) })];
}

function contentField(label: string, field: OpenedField): Field {
  if (field.state === "hash-only") return { label, text: "(only its hash was kept)" };
  if (field.state === "sealed") return { label, text: `(encrypted: ${field.reason})` };
  return field.value === ""
    ? { label, text: "(empty)" }
    : { label, text: "", block: textOf(field.value) };
}
