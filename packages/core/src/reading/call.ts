// Facts of an entry for tables, transcripts, figures and exports: the callee, the outcome, the
// actor.
import type { JsonValue } from "../format/canonical.ts";
import type { AuditEntry, Outcome } from "../format/entry.ts";

/** Operations of entries that record an event in a run, and no call. */
const EVENTS: ReadonlySet<string> = new Set(["guardrail", "human_review", "event"]);

/** Whether the entry is an event in a run: a guardrail, a review. */
export function isEvent({ operation }: AuditEntry): boolean {
  return operation !== undefined && EVENTS.has(operation);
}

/** Whether another entry records the same call at another layer. */
export function isDuplicate({ run }: AuditEntry): boolean {
  return run?.sameCallAs !== undefined;
}

/** The end of a call, as figures count it. */
export type OutcomeClass = "ok" | "blocked" | "error" | "stopped";

/** A question to a person, or a caller's stop, is not an error. */
const CLASSES: Readonly<Record<Outcome, OutcomeClass>> = {
  ok: "ok",
  blocked: "blocked",
  error: "error",
  timeout: "error",
  aborted: "stopped",
  interrupted: "stopped",
  abandoned: "stopped",
};

/** Whether the call succeeded, was blocked, failed, or was stopped by its caller. */
export function outcomeClass({ outcome = "ok" }: AuditEntry): OutcomeClass {
  return Object.hasOwn(CLASSES, outcome) ? CLASSES[outcome] : "error";
}

/**
 * The end of the call. Entries without an outcome, as the Python original writes them, show at most
 * that they were flagged.
 */
export function outcomeOf({ outcome, safetyPassed }: AuditEntry): string {
  return outcome ?? (safetyPassed ? "-" : "flagged");
}

/**
 * The end of a call in a transcript or a tree. A question to a person, the pause of those who wait
 * for the answer, and the answer are no failures, and no calls that went well.
 */
export function endingOf(entry: AuditEntry): string {
  const { operation, outcome } = entry;
  if (outcome === "interrupted") return operation === "human_review" ? "asked" : "paused";
  return operation === "human_review" && outcome === "ok" ? "decided" : outcomeOf(entry);
}

/**
 * The name of the callee: the tool of a tool call, the agent of an agent's run, otherwise the
 * model.
 */
export function targetOf(entry: AuditEntry): string | undefined {
  const { operation, model, run } = entry;
  if (operation === "execute_tool") return toolOf(entry) ?? textOf(run?.["name"]);
  if (operation === "invoke_agent") return agentOf(entry) ?? textOf(run?.["name"]);
  return model ?? textOf(run?.["name"]);
}

/** The tool that was called; undefined for any other call. */
export function toolOf({ operation, run }: AuditEntry): string | undefined {
  return (
    textOf(run?.["toolName"]) ?? (operation === "execute_tool" ? textOf(run?.["name"]) : undefined)
  );
}

/** The agent that made the call, or that was run. */
export function agentOf({ operation, run }: AuditEntry): string | undefined {
  return (
    textOf(run?.["agentName"]) ?? (operation === "invoke_agent" ? textOf(run?.["name"]) : undefined)
  );
}

/**
 * The id of the person or program that acted: the entry's actor, or else the user that its metadata
 * names.
 */
export function actorOf({ actor, metadata }: AuditEntry): string | undefined {
  return actor?.id ?? textOf(metadata["user_id"]);
}

/**
 * Whether a check passed the call: true and false as checked, undefined if no check is on record.
 */
export function safetyVerdictOf({ safetyPassed, safetyChecks }: AuditEntry): boolean | undefined {
  if (!safetyPassed) return false;
  return safetyChecks === undefined || safetyChecks.length === 0 ? undefined : true;
}

/** Remarks for a reader: triggered detectors, and alerts. */
export function flagsOf({ safetyPassed, detectorsTriggered, alerts }: AuditEntry): string {
  const found =
    detectorsTriggered.length > 0 ? detectorsTriggered : safetyPassed ? [] : ["flagged"];
  const noted =
    alerts.length === 0 ? [] : [alerts.length === 1 ? "1 alert" : `${alerts.length} alerts`];
  return [...found, ...noted].join(", ");
}

/** Begin of the call, in milliseconds since the epoch. Entries have the time of its end. */
export function beganAt({ timestamp, latencyMs }: AuditEntry): number {
  return Date.parse(timestamp) - (latencyMs ?? 0);
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A decision of a person, or the request for one. */
export interface Decision {
  /** `requested`, or the verdict: `approved`, `modified`, `rejected`, `escalated`, `decided`. */
  readonly verdict: string;
  /** The role in which the person decided. */
  readonly role: string | undefined;
}

/** The decision that an entry records; undefined for any other entry. */
export function decisionOf(entry: AuditEntry): Decision | undefined {
  const { operation, outcome, metadata, review, actor } = entry;
  if (operation !== "human_review") return undefined;
  if (review !== undefined) return { verdict: review.verdict, role: review.role ?? actor?.role };
  const decisions = metadata["decisions"];
  const decided = Array.isArray(decisions) ? decisions.filter(isText) : [];
  const named = decided.map((decision) => VERDICTS[decision] ?? decision).join(", ");
  const verdict = outcome === "interrupted" ? "requested" : named || "decided";
  return { verdict, role: actor?.role };
}

/** LangChain's names of decisions. */
const VERDICTS: Readonly<Partial<Record<string, string>>> = {
  approve: "approved",
  edit: "modified",
  reject: "rejected",
  respond: "answered",
};

/** The ids of interrupts by which reviews find this entry. */
export function interruptsOf({ metadata }: AuditEntry): readonly string[] {
  const ids = metadata["interrupt_ids"];
  return Array.isArray(ids) ? ids.filter(isText) : [];
}

function isText(value: JsonValue): value is string {
  return typeof value === "string";
}
