// Entries as OpenTelemetry spans: OTLP/JSON, one ExportTraceServiceRequest a line, with the
// attributes of the semantic conventions for generative AI. One invocation is one trace. Over 300
// lines: one function for each attribute group of the conventions.
import {
  agentOf,
  beganAt,
  isDuplicate,
  messagesOf,
  outcomeClass,
  type RunStarted,
  targetOf,
  toolOf,
} from "@ai-audit/core/reading";
import { hash } from "node:crypto";
import { type AuditEntry, type JsonValue, lineToEntry, toJson } from "@ai-audit/core/format";
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

/**
 * opentelemetry/proto/trace/v1: SPAN_KIND_INTERNAL, SPAN_KIND_CLIENT, STATUS_CODE_OK,
 * STATUS_CODE_ERROR.
 */
const INTERNAL = 1;
const CLIENT = 3;
const OK = 1;
const ERROR = 2;

/** Operations that happen in the application itself. */
const LOCAL: ReadonlySet<string> = new Set([
  "execute_tool",
  "invoke_agent",
  "invoke_chain",
  "guardrail",
  "human_review",
]);

/** Makes the spans of a log. */
export class SpanWriter {
  readonly #runs: ReadonlyMap<string, RunStarted>;
  /** The trace id that the first entry of each invocation has. */
  readonly #traces = new Map<string, string>();
  /**
   * For each run without an entry so far: the end of its last call, in milliseconds since the
   * epoch.
   */
  readonly #openRuns = new Map<string, number>();

  /**
   * @param runs beginnings of runs: those that get no entry have spans of their own, so that every
   * parent is there
   */
  constructor(runs: readonly RunStarted[]) {
    this.#runs = new Map(runs.map((run) => [run.run, run]));
  }

  /**
   * One line of OTLP/JSON: the spans of these records. A call that another entry records too is
   * left out.
   */
  line(records: readonly LogRecord[]): string {
    const spans = records.flatMap((record) => {
      const entry = lineToEntry(JSON.stringify(record));
      return entry === undefined || isDuplicate(entry) ? [] : [this.#span(entry, record)];
    });
    return request(spans);
  }

  /**
   * The spans of the runs that had no entry; undefined if there are none. Call it after the last
   * record.
   */
  rest(): string | undefined {
    const spans = [...this.#openRuns].flatMap(([id, endMs]) => {
      const run = this.#runs.get(id);
      return run === undefined || Number.isNaN(endMs) ? [] : [this.#runSpan(run, endMs)];
    });
    return spans.length === 0 ? undefined : request(spans);
  }

  #span(entry: AuditEntry, record: LogRecord): object {
    const { id, run, trace, operation = "chat", outcome } = entry;
    const endMs = Date.parse(entry.timestamp);
    if (run?.id !== undefined) this.#openRuns.set(run.id, Number.NaN);
    this.#extend(run?.parentId, endMs);
    const target = targetOf(entry);
    const parent = run?.parentId === undefined ? trace?.spanId : spanId(run.parentId);
    return {
      traceId: this.#traceId(run?.rootId, trace?.traceId, id),
      spanId: spanId(run?.id ?? id),
      ...(parent !== undefined && { parentSpanId: parent }),
      name: target === undefined ? operationOf(operation) : `${operationOf(operation)} ${target}`,
      kind: LOCAL.has(operation) ? INTERNAL : CLIENT,
      startTimeUnixNano: nanos(beganAt(entry)),
      endTimeUnixNano: nanos(endMs),
      attributes: [...genAiAttributes(entry, record), ...auditAttributes(entry)],
      ...statusOf(entry, outcome),
    };
  }

  #runSpan({ run, parent, root, name, kind, at }: RunStarted, endMs: number): object {
    const operation = kind === "agent" ? "invoke_agent" : "invoke_workflow";
    return {
      traceId: this.#traceId(root, undefined, run),
      spanId: spanId(run),
      ...(parent !== null && { parentSpanId: spanId(parent) }),
      name: name === null ? operation : `${operation} ${name}`,
      kind: INTERNAL,
      startTimeUnixNano: nanos(Date.parse(at)),
      endTimeUnixNano: nanos(endMs),
      attributes: [
        text("gen_ai.operation.name", operation),
        ...when(name, (value) =>
          text(kind === "agent" ? "gen_ai.agent.name" : "gen_ai.workflow.name", value),
        ),
        // The log has no end of this run: the span ends with the last call within it.
        { key: "ai_audit.run.end_recorded", value: { boolValue: false } },
      ],
    };
  }

  /** Notes for each ancestor without an entry the time of its end. */
  #extend(parentId: string | undefined, endMs: number): void {
    const climbed = new Set<string>();
    for (let id = parentId ?? null; id !== null && !climbed.has(id);) {
      climbed.add(id);
      const known = this.#openRuns.get(id) ?? endMs;
      this.#openRuns.set(id, Math.max(known, endMs)); // NaN stays: that run has an entry
      id = this.#runs.get(id)?.parent ?? null;
    }
  }

  #traceId(root: string | undefined, own: string | undefined, id: string): string {
    if (root === undefined) return own ?? digest(id).slice(0, 32);
    let traceId = this.#traces.get(root);
    if (traceId === undefined) this.#traces.set(root, (traceId = own ?? digest(root).slice(0, 32)));
    return traceId;
  }
}

function request(spans: readonly object[]): string {
  const resource = { attributes: [text("service.name", "ai-audit")] };
  return JSON.stringify({
    resourceSpans: [
      { resource, scopeSpans: [{ scope: { name: "@ai-audit/cli", version: VERSION }, spans }] },
    ],
  });
}

function spanId(id: string): string {
  return digest(id).slice(32, 48);
}

function digest(id: string): string {
  return hash("sha256", id);
}

/**
 * An error only if the call failed or was blocked. A question to a person, or a caller's stop, is
 * not an error.
 */
function statusOf(entry: AuditEntry, outcome: AuditEntry["outcome"]): object {
  switch (outcomeClass(entry)) {
    case "error":
    case "blocked":
      return {
        status: { code: ERROR, message: entry.blockReason ?? entry.error?.type ?? outcome },
      };
    case "ok":
      return outcome === "ok" ? { status: { code: OK } } : {};
    case "stopped":
    default:
      return {};
  }
}

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/ */
function genAiAttributes(entry: AuditEntry, record: LogRecord): Attribute[] {
  const { operation = "chat", outcome, error, run, server, usage } = entry;
  const isTool = operation === "execute_tool";
  const isFailed = outcomeClass(entry) === "error" || outcomeClass(entry) === "blocked";
  return [
    text("gen_ai.operation.name", operationOf(operation)),
    ...when(entry.provider, (provider) => text("gen_ai.provider.name", provider)),
    ...when(entry.model, (model) => text("gen_ai.request.model", model)),
    ...when(entry.responseModel, (model) => text("gen_ai.response.model", model)),
    ...when(entry.responseId, (id) => text("gen_ai.response.id", id)),
    ...when(entry.finishReasons, (reasons) => texts("gen_ai.response.finish_reasons", reasons)),
    ...when(entry.conversationId, (id) => text("gen_ai.conversation.id", id)),
    ...when(agentOf(entry), (agent) => text("gen_ai.agent.name", agent)),
    ...when(isTool ? toolOf(entry) : undefined, (tool) => text("gen_ai.tool.name", tool)),
    ...when(isTool ? run?.toolCallId : undefined, (id) => text("gen_ai.tool.call.id", id)),
    ...(isTool ? [text("gen_ai.tool.type", "function")] : []),
    ...when(operation === "invoke_chain" ? run?.name : undefined, (name) =>
      text("gen_ai.workflow.name", name),
    ),
    ...when(operation === "retrieval" ? (run?.["vectorStore"] ?? run?.name) : undefined, (id) =>
      text("gen_ai.data_source.id", asText(id)),
    ),
    ...when(entry.streamed, (isStream) => ({
      key: "gen_ai.request.stream",
      value: { boolValue: isStream },
    })),
    ...when(entry.inputTokens, (count) => integer("gen_ai.usage.input_tokens", count)),
    ...when(entry.outputTokens, (count) => integer("gen_ai.usage.output_tokens", count)),
    ...when(usage?.cachedInputTokens, (count) =>
      integer("gen_ai.usage.cache_read.input_tokens", count),
    ),
    ...when(usage?.reasoningOutputTokens, (count) =>
      integer("gen_ai.usage.reasoning.output_tokens", count),
    ),
    ...when(server?.address, (address) => text("server.address", address)),
    ...when(server?.port, (port) => integer("server.port", port)),
    ...when(isFailed ? (error?.type ?? outcome) : undefined, (type) => text("error.type", type)),
    ...when(contentOf(record, "input"), (input) =>
      isTool
        ? text("gen_ai.tool.call.arguments", asText(input))
        : operation === "retrieval"
          ? text("gen_ai.retrieval.query.text", asText(input))
          : text("gen_ai.input.messages", messages(input, "user")),
    ),
    ...when(contentOf(record, "output"), (output) =>
      isTool
        ? text("gen_ai.tool.call.result", asText(output))
        : operation === "retrieval"
          ? text("gen_ai.retrieval.documents", asText(output))
          : text(
              "gen_ai.output.messages",
              messages(output, "assistant", entry.finishReasons?.[0] ?? outcome ?? "unknown"),
            ),
    ),
  ];
}

/** Names of the conventions for operations that we name after the API, or after the framework. */
function operationOf(operation: string): string {
  return OPERATIONS.get(operation) ?? operation;
}

const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ["responses", "chat"],
  ["invoke_chain", "invoke_workflow"],
]);

/** A content that was opened for the export. */
function contentOf(record: LogRecord, side: "input" | "output"): JsonValue | undefined {
  return toJson(record[side]);
}

/** Facts for which the conventions have no name. A call without a check has no safety attribute. */
function auditAttributes(entry: AuditEntry): Attribute[] {
  const { safetyPassed, safetyChecks = [], actor } = entry;
  const isChecked = !safetyPassed || safetyChecks.length > 0;
  return [
    text("ai_audit.entry.id", entry.id),
    ...when(entry.outcome, (outcome) => text("ai_audit.outcome", outcome)),
    ...(isChecked ? [{ key: "ai_audit.safety.passed", value: { boolValue: safetyPassed } }] : []),
    ...(safetyChecks.length > 0 ? [texts("ai_audit.safety.checks", safetyChecks)] : []),
    ...when(entry.detectorsTriggered, (names) =>
      names.length > 0 ? texts("ai_audit.safety.detectors", names) : undefined,
    ),
    ...when(entry.blockReason, (reason) => text("ai_audit.safety.block_reason", reason)),
    ...when(actor?.id, (id) => text("ai_audit.actor.id", id)),
    ...when(actor?.kind, (kind) => text("ai_audit.actor.kind", kind)),
    ...when(entry.review?.of, (id) => text("ai_audit.review.of", id)),
    ...when(entry.review?.verdict, (verdict) => text("ai_audit.review.verdict", verdict)),
    text("ai_audit.input.hash", entry.inputHash),
    text("ai_audit.output.hash", entry.outputHash),
  ];
}

/**
 * Messages in the schema of the conventions: parts with text, with calls of tools, with their
 * results. Those of an answer have a finish reason.
 */
function messages(content: JsonValue, role: string, finishReason?: string): string {
  const all = messagesOf(content, role).map(
    ({ role: speaker, text: said, toolCalls, answers }) => ({
      role: speaker,
      parts: [
        ...(answers === undefined
          ? said === ""
            ? []
            : [{ type: "text", content: said }]
          : [{ type: "tool_call_response", id: answers, response: said }]),
        ...toolCalls.map(({ id, name, arguments: given }) => ({
          type: "tool_call",
          id: id ?? null,
          name,
          arguments: given,
        })),
      ],
      ...(finishReason !== undefined && { finish_reason: finishReason }),
    }),
  );
  return JSON.stringify(all);
}

function asText(content: unknown): string {
  return typeof content === "string" ? content : JSON.stringify(content);
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
