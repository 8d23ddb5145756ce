// The messages that were new in each call. Chat APIs send all earlier messages again with every
// call; a reader wants each of them once.
import { isJsonObject, type JsonValue } from "../format/canonical.ts";
import { textOf } from "./text-of.ts";

/** One message. */
export interface Message {
  /** `user`, `assistant`, `system`, `tool` … */
  readonly role: string;
  /** Empty if only tools are called. */
  readonly text: string;
  /** The tools that the model asks for. */
  readonly toolCalls: readonly ToolCall[];
  /** The call that a `tool` message answers. */
  readonly answers: string | undefined;
}

/** A tool that a model asks for. */
export interface ToolCall {
  readonly id: string | undefined;
  readonly name: string;
  /** Arguments as JSON. */
  readonly arguments: string;
}

/** A line of messages, as one agent's next call is expected to repeat them. */
interface History {
  readonly speaker: string;
  messages: readonly Message[];
}

/** More parallel histories than this are not compared. */
const MAX_HISTORIES = 100;

/**
 * The messages of calls, each once. Calls of several agents may be mixed: each continues the
 * history that it repeats.
 */
export class Transcript {
  /** The one continued last comes last. */
  #histories: History[] = [];

  /**
   * The messages of one call that were not told before: those of its input, then the answer.
   *
   * @param speaker the agent or model that makes the call
   */
  add(input: JsonValue | undefined, output: JsonValue | undefined, speaker = ""): Message[] {
    const asked = input === undefined ? [] : messagesOf(input, "user");
    const answered = output === undefined || output === "" ? [] : messagesOf(output, "assistant");
    const history = this.#historyOf(asked, speaker);
    // The last message is the call's question: repeated, it is shown again.
    const known = Math.min(repeats(history.messages, asked), asked.length - 1);
    const fresh = [...asked.slice(Math.max(0, known)), ...answered];
    // A call with a history names its earlier messages; one without continues the calls before it.
    history.messages = asked.length > 1 ? [...asked, ...answered] : [...history.messages, ...fresh];
    this.#histories = [...this.#histories.filter((each) => each !== history), history].slice(
      -MAX_HISTORIES,
    );
    return fresh;
  }

  /** The history with the longest repetition; among equals the speaker's own, then the latest. */
  #historyOf(asked: readonly Message[], speaker: string): History {
    let best: History | undefined;
    let most = 0;
    for (const history of this.#histories) {
      const count = repeats(history.messages, asked);
      const isBetter = count > most || (count === most && history.speaker === speaker);
      if (count === 0 && (asked.length > 1 || history.speaker !== speaker)) continue;
      if (isBetter) [best, most] = [history, count];
    }
    return best ?? { speaker, messages: [] };
  }
}

/** Number of messages, from the first on, that were told before. */
function repeats(told: readonly Message[], messages: readonly Message[]): number {
  const differs = messages.findIndex((message, at) => !isSame(told[at], message));
  return differs === -1 ? messages.length : differs;
}

function isSame(a: Message | undefined, b: Message): boolean {
  return (
    a?.role === b.role &&
    a.text === b.text &&
    a.toolCalls.length === b.toolCalls.length &&
    a.toolCalls.every((call, at) => call.name === b.toolCalls[at]?.name)
  );
}

/** The messages of a request or of an answer. `role` is the speaker of plain text. */
export function messagesOf(content: JsonValue, role: string): Message[] {
  if (typeof content === "string") return [spoken(role, content)];
  if (Array.isArray(content)) {
    if (content.length > 0 && content.every(isItem)) return content.flatMap(toMessages);
    // An answer of Anthropic or of the AI SDK: its parts alone.
    if (content.length > 0 && content.every(isPart)) return toMessages({ role, content });
    return [spoken(role, textOf(content))];
  }
  if (isJsonObject(content)) {
    // A request with more than messages: { messages, tools, … } or { input, instructions, … }.
    const { messages, input } = content;
    if (Array.isArray(messages) && messages.every(isItem)) return messages.flatMap(toMessages);
    if (typeof input === "string" || Array.isArray(input)) return messagesOf(input, role);
    if (isItem(content)) return toMessages(content);
  }
  return [spoken(role, textOf(content))];
}

function spoken(role: string, text: string): Message {
  return { role, text, toolCalls: [], answers: undefined };
}

type Item = Readonly<Record<string, JsonValue>>;

/** A message of Chat Completions, or an item of the Responses API. */
function isItem(value: JsonValue): value is Item {
  return isJsonObject(value) && (typeof value["role"] === "string" || isResponseItem(value));
}

function isResponseItem({ type }: Item): boolean {
  return type === "function_call" || type === "function_call_output";
}

/** Results of tools are messages of their own, whatever message they came in. */
function toMessages(item: Item): Message[] {
  const { type, role, content, tool_calls: calls } = item;
  if (type === "function_call")
    return [{ role: "assistant", text: "", toolCalls: [toolCallOf(item)], answers: undefined }];
  if (type === "function_call_output")
    return [
      { ...spoken("tool", partText(item["output"] ?? null)), answers: idOf(item["call_id"]) },
    ];
  const parts = Array.isArray(content) ? content : [];
  const results = parts.filter(isResult).map(toResult);
  const asked = parts.filter(isCall);
  const others = parts.filter((part) => !isResult(part) && !isCall(part));
  if (results.length > 0 && others.length === 0 && asked.length === 0) return results;
  const said = Array.isArray(content) ? others : content;
  const texts = [said, Array.isArray(calls) ? undefined : calls];
  const message = {
    role: typeof role === "string" ? role : "message",
    text: texts
      .filter((part) => part !== undefined && part !== null)
      .map(partText)
      .join("\n"),
    toolCalls: [...asked, ...(Array.isArray(calls) ? calls.filter(isJsonObject) : [])].map(
      toolCallOf,
    ),
    answers: idOf(item["tool_call_id"]),
  };
  return [...results, message];
}

function isPart(value: JsonValue): value is Item {
  return isJsonObject(value) && typeof value["type"] === "string";
}

/** A part that asks for a tool: Anthropic's, or the AI SDK's. */
function isCall(part: JsonValue): part is Item {
  return isPart(part) && (part["type"] === "tool_use" || part["type"] === "tool-call");
}

/** A part with a tool's result: Anthropic's, or the AI SDK's. */
function isResult(part: JsonValue): part is Item {
  return isPart(part) && (part["type"] === "tool_result" || part["type"] === "tool-result");
}

function toResult(part: Item): Message {
  const { content, output, result } = part;
  const value = isJsonObject(output) && "value" in output ? output["value"] : output;
  const answers = idOf(part["tool_use_id"] ?? part["toolCallId"]);
  return { ...spoken("tool", partText(content ?? value ?? result ?? "")), answers };
}

/**
 * `{ id, function: { name, arguments } }`, `{ id, name, args }`, `{ call_id, name, arguments }`,
 * `{ id, name, input }`, or `{ toolCallId, toolName, input }`.
 */
function toolCallOf(call: Item): ToolCall {
  const { function: named } = call;
  const source = isJsonObject(named) ? named : call;
  const { name, toolName, arguments: text, args, input } = source;
  const given = text ?? args ?? input ?? {};
  return {
    id: idOf(call["call_id"] ?? call["toolCallId"] ?? call["id"]),
    name: idOf(name) ?? idOf(toolName) ?? "?",
    arguments: typeof given === "string" ? given : JSON.stringify(given),
  };
}

function idOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Text parts as text, anything else, such as images, as JSON. */
function partText(part: JsonValue): string {
  if (!Array.isArray(part)) return textOf(part);
  return part
    .map((item) =>
      isJsonObject(item) && typeof item["text"] === "string" ? item["text"] : textOf(item),
    )
    .join("\n");
}
