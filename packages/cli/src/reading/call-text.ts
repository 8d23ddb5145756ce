// A node of a call tree in words: its kind, its actor, its messages.
import type { AuditEntry } from "@ai-audit/core/format";
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
      return titled("guardrail", entry.detectorsTriggered[0] ?? targetOf(entry), undefined);
    case "human_review": {
      const { verdict, role } = decisionOf(entry) ?? { verdict: "requested", role: undefined };
      if (verdict === "requested") return "a person is asked to decide";
      const person = role === undefined ? (by ?? "a person") : `${by ?? "a person"} (${role})`;
      return `${person} decides: ${verdict}`;
    }
    default: {
      const agent = agentOf(entry);
      if (!MODEL_CALLS.has(operation)) return titled(operation, targetOf(entry), agent);
      const model = targetOf(entry) ?? "a model";
      return agent === undefined ? `${model} is asked` : `${agent} asks ${model}`;
    }
  }
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
  human_review: ["shown", "decision"],
  guardrail: ["examined", "made of it"],
  retrieval: ["query", "documents"],
  invoke_agent: ["called with", "returned"],
  invoke_chain: ["called with", "returned"],
};

function handedOver(
  { operation = "" }: AuditEntry,
  input: OpenedField,
  output: OpenedField,
): Passage[] {
  const [given, made] = LABELS[operation] ?? ["input", "output"];
  return [
    ...(input.state === "open" && !isBlank(input.value)
      ? [{ label: given, text: textOf(input.value) }]
      : []),
    ...(output.state === "open" && !isBlank(output.value)
      ? [{ label: made, text: textOf(output.value) }]
      : []),
  ];
}

function isBlank(value: unknown): boolean {
  return value === "" || value === null;
}

function spokenIn(
  entry: AuditEntry,
  { content, transcript, within, toldToolCalls }: PassageOptions,
): Passage[] {
  const { input, output } = content.values;
  const speaker = agentOf(entry) ?? entry.model ?? "";
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
