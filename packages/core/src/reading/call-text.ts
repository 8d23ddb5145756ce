// A node of a call tree in words: its kind, its actor, its messages.
import { isJsonObject, type JsonValue } from "../format/canonical.ts";
import type { AuditEntry } from "../format/entry.ts";
import { actorOf, agentOf, decisionOf, targetOf, toolOf } from "./call.ts";
import type { CallNode } from "./call-tree.ts";
import { errorMessage, type OpenedContent, type OpenedField } from "./opened-content.ts";
import { textOf } from "./text-of.ts";
import type { Message, Transcript } from "./transcript.ts";

/** A node in a few words: `supervisor asks gpt-5`, `tool weather, called by supervisor`. */
export function titleOf({ entry, run }: CallNode): string {
  if (entry === undefined) return [run?.kind ?? "run", run?.name ?? run?.run].join(" ");
  const { operation = "call" } = entry;
  const by = actorOf(entry);
  switch (operation) {
    case "execute_tool":
      return titled("tool", toolOf(entry), agentOf(entry));
    case "invoke_agent":
      return titled("agent", agentOf(entry), undefined);
    case "guardrail":
      return guardrailTitle(entry);
    case "event":
      return eventTitle(entry);
    case "human_review": {
      const { verdict, role } = decisionOf(entry) ?? { verdict: "requested", role: undefined };
      if (verdict === "requested") return requestTitle(entry);
      const person = role === undefined ? (by ?? "a person") : `${by ?? "a person"} (${role})`;
      return `${person} decides: ${verdict.split(", ").map(decisionText).join(", ")}`;
    }
    default: {
      const agent = agentOf(entry);
      if (!MODEL_CALLS.has(operation)) return titled(operation, targetOf(entry), agent);
      const model = targetOf(entry) ?? "a model";
      return agent === undefined ? `${model} is asked` : `${agent} asks ${model}`;
    }
  }
}

/** What a verdict means for the action that was proposed. */
function decisionText(verdict: string): string {
  return verdict === "modified" ? "approved as changed" : verdict;
}

/** `a person is asked to decide on pay, send_mail`, by the names that a host gives. */
function requestTitle({ metadata }: AuditEntry): string {
  const { actions } = metadata;
  const named = Array.isArray(actions) ? actions.filter((name) => typeof name === "string") : [];
  return ["a person is asked to decide", named.join(", ")]
    .filter((part) => part !== "")
    .join(" on ");
}

/** `guardrail pii:email changed the input`. */
function guardrailTitle(entry: AuditEntry): string {
  const { detectorsTriggered, metadata } = entry;
  const name = titled("guardrail", detectorsTriggered[0] ?? targetOf(entry), undefined);
  for (const [member, done] of [
    ["modified_at", "changed"],
    ["blocked_at", "blocked"],
  ] as const) {
    const side = metadata[member];
    if (typeof side === "string") return `${name} ${done} the ${side}`;
  }
  return name;
}

/** `event model_call_limit, by ModelCallLimitMiddleware`. */
function eventTitle({ metadata, run }: AuditEntry): string {
  const { event, middleware } = metadata;
  const name = typeof event === "string" ? `event ${event}` : "event";
  const place = typeof middleware === "string" ? middleware : run?.name;
  return place === undefined ? name : `${name}, in ${place}`;
}

function titled(kind: string, name: string | undefined, agent: string | undefined): string {
  const who = agent === undefined || agent === name ? "" : `, called by ${agent}`;
  return `${name === undefined ? kind : `${kind} ${name}`}${who}`;
}

/** A passage of text, and its speaker or source. */
export interface Passage {
  readonly label: string;
  readonly text: string;
}

/** Sources of a passage. */
export interface PassageOptions {
  readonly content: OpenedContent;
  /** The messages told so far. */
  readonly transcript: Transcript;
  /** The tool call within which this one was made; its agent speaks as the user then. */
  readonly within: AuditEntry | undefined;
  /** Ids of tool calls with an entry of their own: that entry shows the result. */
  readonly toldToolCalls: ReadonlySet<string>;
}

/** The passages of a call, in order. Messages of earlier calls are left out. */
export function passagesOf(entry: AuditEntry, options: PassageOptions): Passage[] {
  const { input, output } = options.content;
  const passages =
    entry.operation === undefined || MODEL_CALLS.has(entry.operation)
      ? spokenIn(entry, options)
      : handedOver(entry, input, output);
  for (const [label, field] of [
    ["input", input],
    ["output", output],
  ] as const) {
    const missing = whyMissing(field);
    if (missing !== undefined) passages.push({ label, text: missing });
  }
  if (entry.blockReason !== null) passages.push({ label: "blocked", text: entry.blockReason });
  const message = errorMessage(entry, options.content);
  if (message !== undefined) passages.push({ label: "error", text: message });
  return passages;
}

/** Operations whose input and output are messages. */
const MODEL_CALLS: ReadonlySet<string> = new Set(["chat", "responses", "text_completion"]);

/** Labels of input and output of other operations. */
const LABELS: Readonly<Partial<Record<string, readonly [string, string]>>> = {
  execute_tool: ["called with", "returned"],
  guardrail: ["examined", "made of it"],
  retrieval: ["query", "documents"],
  invoke_agent: ["called with", "returned"],
  invoke_chain: ["called with", "returned"],
};

function handedOver(
  { operation = "", metadata }: AuditEntry,
  input: OpenedField,
  output: OpenedField,
): Passage[] {
  if (operation === "human_review") return [...reviewed(input, SHOWN), ...reviewed(output, SAID)];
  const [given, made] = LABELS[operation] ?? ["input", "output"];
  const documents = documentsIn(metadata);
  return [
    ...(input.state === "open" && !isBlank(input.value)
      ? [{ label: given, text: textOf(input.value) }]
      : []),
    ...(output.state === "open" && !isBlank(output.value)
      ? [{ label: made, text: textOf(output.value) }]
      : []),
    ...(documents === "" ? [] : [{ label: "found", text: documents }]),
  ];
}

/**
 * A line for each document that a retrieval found: id, source and score, which are in clear text.
 */
function documentsIn({ documents }: AuditEntry["metadata"]): string {
  if (!Array.isArray(documents)) return "";
  return documents
    .filter(isJsonObject)
    .map(({ id, source, score }) =>
      [id, source, score === undefined ? undefined : `score ${textOf(score)}`]
        .filter((fact) => fact !== undefined)
        .map((fact) => textOf(fact))
        .join("  "),
    )
    .join("\n");
}

/** Labels of the parts of a review. A request of LangChain's middleware holds the actions. */
const SHOWN = {
  whole: "proposed",
  before: "proposed",
  shown: "shown to the person",
  actionRequests: "proposed",
};
const SAID = { whole: "decision", after: "changed to", reason: "reason" };

/** The parts of a review's content, each under its label; other content as a whole. */
function reviewed(field: OpenedField, labels: Readonly<Record<string, string>>): Passage[] {
  if (field.state !== "open" || isBlank(field.value)) return [];
  const { value } = field;
  const parts = isJsonObject(value) ? Object.entries(value) : [];
  const known = parts.filter(([name]) => labels[name] !== undefined && name !== "whole");
  if (known.length === 0) return [{ label: labels["whole"] ?? "", text: proposalText(value) }];
  return known.flatMap(([name, part]) =>
    (name === "actionRequests" && Array.isArray(part) ? part : [part]).map((one) => ({
      label: labels[name] ?? name,
      text: proposalText(one),
    })),
  );
}

/** `pay {"amount":950}` for a tool call, else the value. */
function proposalText(value: JsonValue): string {
  if (!isJsonObject(value)) return textOf(value);
  const { name, args, arguments: given } = value;
  const parameters = args ?? given;
  return typeof name === "string" && parameters !== undefined
    ? `${name} ${typeof parameters === "string" ? parameters : JSON.stringify(parameters)}`
    : textOf(value);
}

function isBlank(value: unknown): boolean {
  return value === "" || value === null;
}

function spokenIn(
  entry: AuditEntry,
  { content, transcript, within, toldToolCalls }: PassageOptions,
): Passage[] {
  const { input, output } = content.values;
  // Parallel calls of one agent are distinguished by the calls that started them.
  const speaker = `${agentOf(entry) ?? entry.model ?? ""} ${entry.run?.calledBy ?? ""}`;
  return transcript
    .add(input, output, speaker)
    .filter(({ role, answers }) => role !== "tool" || !toldToolCalls.has(answers ?? ""))
    .map((message) => ({ label: speakerOf(message, entry, within), text: textOfMessage(message) }));
}

/** `ada (user)`, `supervisor (assistant)`, `system`. */
function speakerOf({ role }: Message, entry: AuditEntry, within: AuditEntry | undefined): string {
  const name =
    role === "user"
      ? within === undefined
        ? actorOf(entry)
        : (agentOf(within) ?? toolOf(within))
      : role === "assistant"
        ? (agentOf(entry) ?? entry.model)
        : undefined;
  return name === undefined || name === null ? role : `${name} (${role})`;
}

function textOfMessage({ text, toolCalls }: Message): string {
  const calls = toolCalls.map(({ name, arguments: given }) => `→ asks for tool ${name} ${given}`);
  return [...(text === "" && calls.length > 0 ? [] : [text]), ...calls].join("\n");
}

function whyMissing(field: OpenedField): string | undefined {
  if (field.state === "open") return undefined;
  return field.state === "hash-only" ? "(only its hash was kept)" : `(encrypted: ${field.reason})`;
}
