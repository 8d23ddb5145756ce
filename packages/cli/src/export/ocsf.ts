// Entries as events of the Open Cybersecurity Schema Framework (OCSF) 1.8: API Activity (6003) with
// the profile ai_operation.
import { actorOf, agentOf, beganAt, safetyVerdictOf, targetOf } from "@ai-audit/core/reading";
import type { Outcome } from "@ai-audit/core";
import { type AuditEntry, lineToEntry } from "@ai-audit/core/format";
import { VERSION } from "../version.ts";
import type { LogRecord } from "./redact.ts";

const OCSF_VERSION = "1.8.0";
const CATEGORY = 6;
const CLASS = 6003;

/** The event's line; empty for a record that is not an entry. */
export function ocsfLine(record: LogRecord): string {
  const entry = lineToEntry(JSON.stringify(record));
  return entry === undefined ? "" : `${JSON.stringify(event(entry, record))}\n`;
}

function event(entry: AuditEntry, record: LogRecord): object {
  const activity = activityOf(entry);
  const severity = severityOf(entry);
  const status = STATUSES[entry.outcome ?? "unknown"];
  const end = Date.parse(entry.timestamp);
  return {
    category_uid: CATEGORY,
    category_name: "Application Activity",
    class_uid: CLASS,
    class_name: "API Activity",
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: CLASS * 100 + activity.id,
    type_name: `API Activity: ${activity.name}`,
    severity_id: severity.id,
    severity: severity.name,
    time: end,
    start_time: Math.round(beganAt(entry)),
    end_time: end,
    ...(entry.latencyMs !== null && { duration: Math.round(entry.latencyMs) }),
    status_id: status.id,
    status: status.name,
    ...(entry.outcome !== undefined && { status_code: entry.outcome }),
    ...given("status_detail", entry.blockReason ?? entry.error?.type),
    metadata: metadataOf(entry),
    actor: actorObject(entry),
    api: apiOf(entry, record),
    src_endpoint: { svc_name: agentOf(entry) ?? "unknown" },
    ...(entry.server !== undefined && {
      dst_endpoint: {
        hostname: entry.server.address,
        ...given("port", entry.server.port),
      },
    }),
    ...modelOf(entry),
    message_context: contextOf(entry),
    unmapped: unmappedOf(entry),
  };
}

/**
 * The outcome as OCSF's status. A call that the caller stopped, or that waits for a person, is
 * neither success nor failure.
 */
const STATUSES: Readonly<
  Record<Outcome | "unknown", { readonly id: number; readonly name: string }>
> = {
  unknown: { id: 0, name: "Unknown" },
  ok: { id: 1, name: "Success" },
  blocked: { id: 2, name: "Failure" },
  error: { id: 2, name: "Failure" },
  timeout: { id: 2, name: "Failure" },
  aborted: { id: 99, name: "Aborted" },
  interrupted: { id: 99, name: "Interrupted" },
  abandoned: { id: 99, name: "Abandoned" },
};

/** Activities of the class; 99 has its own name. */
function activityOf({ operation = "unknown" }: AuditEntry): {
  readonly id: number;
  readonly name: string;
} {
  if (operation === "unknown") return { id: 0, name: "Unknown" };
  if (operation === "retrieval" || operation.endsWith(".retrieve")) return { id: 2, name: "Read" };
  if (CREATING.has(operation)) return { id: 1, name: "Create" };
  return { id: 99, name: operation };
}

/** Operations by which a model makes something. */
const CREATING: ReadonlySet<string> = new Set([
  "chat",
  "responses",
  "text_completion",
  "embeddings",
  "generate_content",
  "speech",
]);

function severityOf({ outcome, safetyPassed }: AuditEntry): {
  readonly id: number;
  readonly name: string;
} {
  if (!safetyPassed || outcome === "blocked") return { id: 4, name: "High" };
  if (outcome === "error" || outcome === "timeout") return { id: 3, name: "Medium" };
  return { id: 1, name: "Informational" };
}

function metadataOf({ id, timestamp, run, conversationId }: AuditEntry): object {
  return {
    version: OCSF_VERSION,
    profiles: ["ai_operation"],
    product: { name: "ai-audit", vendor_name: "ai-audit", version: VERSION },
    uid: id,
    original_time: timestamp,
    ...given("correlation_uid", run?.rootId ?? conversationId),
  };
}

/** The person or program that acted; the application if the log names no actor. */
function actorObject(entry: AuditEntry): object {
  const id = actorOf(entry);
  const { actor } = entry;
  if (id === undefined) return { app_name: agentOf(entry) ?? "unknown" };
  if (actor !== undefined && actor.kind !== "user") return { app_name: id, app_uid: id };
  return {
    user: {
      uid: id,
      name: id,
      ...(actor?.role !== undefined && { groups: [{ name: actor.role }] }),
    },
  };
}

function apiOf(entry: AuditEntry, record: LogRecord): object {
  const { operation = "unknown", provider, requestId, responseId, error } = entry;
  const target = targetOf(entry);
  return {
    operation:
      operation === "execute_tool" && target !== undefined ? `${operation} ${target}` : operation,
    ...(provider !== null && { service: { name: provider } }),
    request: {
      uid: requestId ?? entry.id,
      ...(record["input"] !== undefined && { data: { input: record["input"] } }),
    },
    response: {
      ...given("code", error?.status),
      ...given("error", error?.code ?? error?.type),
      ...given("message", responseId),
      ...(record["output"] !== undefined && { data: { output: record["output"] } }),
    },
  };
}

function modelOf({ model, provider, responseModel }: AuditEntry): object {
  if (model === null && responseModel === undefined) return {};
  return {
    ai_model: {
      name: model ?? responseModel,
      ai_provider: provider ?? "unknown",
      ...given("version", responseModel),
    },
  };
}

/** OCSF's numbers of roles: assistant, tool, agent, retriever, user, other. */
const ROLES: Readonly<Partial<Record<string, number>>> = {
  chat: 2,
  responses: 2,
  text_completion: 2,
  execute_tool: 3,
  invoke_agent: 4,
  retrieval: 6,
  human_review: 1,
};

function contextOf(entry: AuditEntry): object {
  const { conversationId, operation = "", inputTokens, outputTokens, provider } = entry;
  return {
    ai_role_id: ROLES[operation] ?? 99,
    ...given("uid", conversationId),
    application: { name: agentOf(entry) ?? "unknown" },
    ...(provider !== null && { service: { name: provider } }),
    ...given("prompt_tokens", inputTokens),
    ...given("completion_tokens", outputTokens),
    ...(inputTokens !== null &&
      outputTokens !== null && { total_tokens: inputTokens + outputTokens }),
  };
}

/** Facts for which OCSF has no attribute. No content, and no words of a provider. */
function unmappedOf(entry: AuditEntry): object {
  return {
    // Absent if no check is on record.
    ...given("safety_passed", safetyVerdictOf(entry)),
    safety_checks: entry.safetyChecks ?? [],
    detectors_triggered: entry.detectorsTriggered,
    input_hash: entry.inputHash,
    output_hash: entry.outputHash,
    ...given("run_id", entry.run?.id),
    ...given("run_parent_id", entry.run?.parentId),
    ...given("trace_id", entry.trace?.traceId),
    ...given("review", entry.review),
    ...given("on_behalf_of", entry.actor?.onBehalfOf),
    ...given("same_call_as", entry.run?.sameCallAs),
  };
}

function given(name: string, value: unknown): Record<string, unknown> {
  return value === undefined || value === null ? {} : { [name]: value };
}
