// Entries as OpenTelemetry spans: OTLP/JSON, one ExportTraceServiceRequest a line, with the attributes of the semantic
// conventions for generative AI.
import { hash } from "node:crypto";
import type { AuditEntry } from "@ai-audit/core";
import { lineToEntry } from "@ai-audit/core/format";
import { VERSION } from "../version.ts";
import type { LogRecord } from "./redact.ts";

type Value =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values: readonly Value[] } };

interface Attribute {
  readonly key: string;
  readonly value: Value;
}

/** SPAN_KIND_CLIENT, STATUS_CODE_ERROR: opentelemetry/proto/trace/v1. */
const CLIENT = 3;
const ERROR = 2;

/** One line of OTLP/JSON: the spans of these records. */
export function otlpLine(records: readonly LogRecord[]): string {
  const spans = records.flatMap((record) => {
    const entry = lineToEntry(JSON.stringify(record));
    return entry === undefined ? [] : [span(entry, record)];
  });
  const resource = { attributes: [text("service.name", "ai-audit")] };
  return JSON.stringify({
    resourceSpans: [
      { resource, scopeSpans: [{ scope: { name: "@ai-audit/cli", version: VERSION }, spans }] },
    ],
  });
}

function span(entry: AuditEntry, record: LogRecord): object {
  const { id, trace, operation = "chat", model, latencyMs, timestamp, outcome } = entry;
  const digest = hash("sha256", id);
  const endMs = Date.parse(timestamp);
  const failed = outcome !== undefined && outcome !== "ok";
  return {
    traceId: trace?.traceId ?? digest.slice(0, 32),
    spanId: digest.slice(32, 48),
    ...(trace?.spanId !== undefined && { parentSpanId: trace.spanId }),
    name: model === null ? operation : `${operation} ${model}`,
    kind: CLIENT,
    startTimeUnixNano: nanos(endMs - (latencyMs ?? 0)),
    endTimeUnixNano: nanos(endMs),
    attributes: [...genAiAttributes(entry, record), ...auditAttributes(entry)],
    ...(failed && {
      status: { code: ERROR, message: entry.error?.type ?? entry.blockReason ?? outcome },
    }),
  };
}

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ */
function genAiAttributes(entry: AuditEntry, record: LogRecord): Attribute[] {
  const { outcome, error } = entry;
  return [
    text("gen_ai.operation.name", entry.operation ?? "chat"),
    ...when(entry.provider, (provider) => text("gen_ai.provider.name", provider)),
    ...when(entry.model, (model) => text("gen_ai.request.model", model)),
    ...when(entry.responseModel, (model) => text("gen_ai.response.model", model)),
    ...when(entry.responseId, (id) => text("gen_ai.response.id", id)),
    ...when(entry.finishReasons, (reasons) => texts("gen_ai.response.finish_reasons", reasons)),
    ...when(entry.conversationId, (id) => text("gen_ai.conversation.id", id)),
    ...when(entry.inputTokens, (count) => integer("gen_ai.usage.input_tokens", count)),
    ...when(entry.outputTokens, (count) => integer("gen_ai.usage.output_tokens", count)),
    ...when(error?.type ?? (outcome === "ok" ? undefined : outcome), (type) =>
      text("error.type", type),
    ),
    ...when(record["input"], (input) => text("gen_ai.input.messages", messages(input, "user"))),
    ...when(record["output"], (output) =>
      text("gen_ai.output.messages", messages(output, "assistant")),
    ),
  ];
}

/** What the conventions have no name for. */
function auditAttributes(entry: AuditEntry): Attribute[] {
  return [
    text("ai_audit.entry.id", entry.id),
    { key: "ai_audit.safety.passed", value: { boolValue: entry.safetyPassed } },
    ...when(entry.detectorsTriggered, (names) =>
      names.length > 0 ? texts("ai_audit.safety.detectors", names) : undefined,
    ),
    ...when(entry.blockReason, (reason) => text("ai_audit.safety.block_reason", reason)),
    text("ai_audit.input.hash", entry.inputHash),
    text("ai_audit.output.hash", entry.outputHash),
  ];
}

/** A plain text is one message with one text part. */
function messages(content: unknown, role: string): string {
  return JSON.stringify(
    typeof content === "string" ? [{ role, parts: [{ type: "text", content }] }] : content,
  );
}

function when<T>(
  value: T | null | undefined,
  attribute: (value: T) => Attribute | undefined,
): Attribute[] {
  const made = value === null || value === undefined ? undefined : attribute(value);
  return made === undefined ? [] : [made];
}

function text(key: string, value: string): Attribute {
  return { key, value: { stringValue: value } };
}

function texts(key: string, values: readonly string[]): Attribute {
  return { key, value: { arrayValue: { values: values.map((stringValue) => ({ stringValue })) } } };
}

/** 64-bit integers are strings in OTLP/JSON. */
function integer(key: string, value: number): Attribute {
  return { key, value: { intValue: String(Math.round(value)) } };
}

function nanos(ms: number): string {
  return `${BigInt(Math.round(ms)) * 1_000_000n}`;
}
