// An entry as labelled values.
import type { AuditEntry } from "@ai-audit/core";
import { outcomeOf, outcomeStyle } from "./entry-table.ts";
import type { OpenedContent, OpenedField } from "./opened-content.ts";
import type { Field } from "../output/fields.ts";
import { formatMs, formatTokens } from "../output/format.ts";
import { textOf } from "./text-of.ts";

/** Everything an entry says, in the order a reader asks. What it does not know is left out. */
export function describeEntry(entry: AuditEntry, content: OpenedContent): Field[] {
  return [
    { label: "entry", text: entry.id },
    { label: "recorded", text: entry.timestamp },
    ...known("operation", entry.operation),
    ...known("provider", entry.provider),
    ...known("model", modelOf(entry)),
    { label: "outcome", text: outcomeOf(entry), style: outcomeStyle(entry) },
    ...known("error", entry.error && errorOf(entry.error)),
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
  ];
}

function known(label: string, text: string | null | undefined): Field[] {
  return text === null || text === undefined || text === "" ? [] : [{ label, text }];
}

function modelOf({ model, responseModel }: AuditEntry): string | null {
  if (responseModel === undefined || responseModel === model) return model;
  return `${model ?? "-"} (served: ${responseModel})`;
}

function errorOf({ type, code, status, message }: NonNullable<AuditEntry["error"]>): string {
  const details = [code, status === undefined ? undefined : `HTTP ${status}`].filter(
    (detail) => detail !== undefined,
  );
  const kind = details.length === 0 ? type : `${type} (${details.join(", ")})`;
  return message === undefined ? kind : `${kind}: ${message}`;
}

function safetyOf({
  safetyPassed,
  detectorsTriggered,
  blockReason,
  safetyChecks,
}: AuditEntry): string {
  const parts = [safetyPassed ? "passed" : "not passed"];
  if (detectorsTriggered.length > 0) parts.push(`triggered: ${detectorsTriggered.join(", ")}`);
  if (blockReason !== null) parts.push(`reason: ${blockReason}`);
  if (safetyChecks?.length === 0) parts.push("no check was made");
  else if (safetyChecks !== undefined) parts.push(`checks: ${safetyChecks.join(", ")}`);
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

function contentField(label: string, field: OpenedField): Field {
  if (field.state === "hash-only") return { label, text: "(only its hash was kept)" };
  if (field.state === "sealed") return { label, text: `(encrypted: ${field.reason})` };
  return field.value === ""
    ? { label, text: "(empty)" }
    : { label, text: "", block: textOf(field.value) };
}
