// LangChain messages in a neutral shape: role, content, name, tool_calls, tool_call_id.
import {
  CENSOR,
  type Fields,
  type JsonValue,
  defined,
  fieldsOf,
  isEmpty,
  isFields,
  isSecretName,
  listOf,
  textOf,
} from "@ai-audit/core/capture";

const ROLES: Readonly<Record<string, string>> = { human: "user", ai: "assistant" };

/** Whether `value` is a LangChain message of any copy of the package. */
export function isMessage(value: unknown): value is Fields {
  return (
    isFields(value) &&
    "content" in value &&
    "additional_kwargs" in value &&
    typeOf(value) !== undefined
  );
}

/** A message in the neutral shape. */
export interface NeutralMessage extends Fields {
  readonly role: string;
  readonly content: unknown;
}

/** The message in the neutral shape. Its members are those of the message, not copies. */
export function neutralMessage(message: unknown): NeutralMessage {
  const source = fieldsOf(message);
  const kwargs = fieldsOf(source["additional_kwargs"]);
  return {
    ...additionsOf(kwargs), // first: they must not replace role or content
    role: roleOf(source),
    ...defined({
      name: nameIn(source),
      tool_call_id: textOf(source["tool_call_id"]),
      status: source["status"] === "error" ? "error" : undefined,
    }),
    content: plainestOf(contentOf(source)),
    ...toolCallsOf(source, kwargs),
  };
}

/** The text of a message that has nothing else; undefined otherwise. */
export function onlyText(described: JsonValue, role: string): string | undefined {
  const { role: own, content, ...rest } = fieldsOf(described);
  return own === role && typeof content === "string" && isEmpty(rest) ? content : undefined;
}

function typeOf(message: Fields): string | undefined {
  const { type, getType, _getType } = message;
  if (typeof type === "string") return type;
  const ask = typeof getType === "function" ? getType : _getType;
  return typeof ask === "function" ? textOf(Reflect.apply(ask, message, [])) : undefined;
}

/** `user`, `assistant`, `system`, `developer`, `tool` …, translated from LangChain's names. */
export function roleOf(message: Fields): string {
  const kwargs = fieldsOf(message["additional_kwargs"]);
  const type = typeOf(message) ?? "unknown";
  // A stream without a role becomes a generic message without one: it is an answer.
  if (type === "generic") return textOf(message["role"]) ?? "assistant";
  return textOf(kwargs["__openai_role__"]) ?? ROLES[type] ?? type;
}

/** Gemini's streams have their role as a name. */
function nameIn({ name }: Fields): string | undefined {
  return name === "model" ? undefined : textOf(name);
}

/** The content without tool calls, which content blocks repeat. */
function contentOf(message: Fields): unknown {
  const { content } = message;
  if (!Array.isArray(content)) return content;
  const calls = new Set(listOf(message["tool_calls"]).map((call) => fieldsOf(call)["id"]));
  const blocks = content.filter((block) => {
    const { type, id } = fieldsOf(block);
    return type !== "tool_call" || !calls.has(id);
  });
  return blocks.length === 0 ? "" : blocks;
}

function plainestOf(content: unknown): unknown {
  const blocks = listOf(content);
  const [block] = blocks;
  // The Responses API gives even plain text as a block, with empty annotations.
  if (
    blocks.length === 1 &&
    isFields(block) &&
    block["type"] === "text" &&
    typeof block["text"] === "string"
  ) {
    const {
      type: _type,
      text,
      annotations,
      index: _index,
      id: _id,
      phase: _phase,
      ...rest
    } = block;
    if (listOf(annotations).length === 0 && isEmpty(rest)) return text;
  }
  return content ?? null;
}

function toolCallsOf(message: Fields, kwargs: Fields): Fields {
  const calls = listOf(message["tool_calls"]).map((call) => {
    const { id, name, args } = fieldsOf(call);
    return { id, name, args };
  });
  const invalid = listOf(message["invalid_tool_calls"]);
  // An AIMessage restored from a store may have the provider's spelling alone.
  const raw = calls.length === 0 && invalid.length === 0 ? listOf(kwargs["tool_calls"]) : [];
  return {
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(raw.length > 0 && { tool_calls: raw }),
    ...(invalid.length > 0 && { invalid_tool_calls: invalid }),
  };
}

/** Members that repeat other members of the message. */
const COPIES: ReadonlySet<string> = new Set(["tool_calls", "parsed", "originalTextContentBlock"]);
/**
 * Words and numbers of a provider's envelope, which hosts put beside the content of a message. The
 * fields of an entry have them, once: a message is repeated in the input of every later call. A
 * member of such a name that is no word and no number is kept.
 */
const ENVELOPE_WORDS: ReadonlySet<string> = new Set([
  // Anthropic
  "id", "model", "role", "stop_reason", "stop_sequence", "type",
  // Gemini
  "avgLogprobs", "finishReason", "index", "tokenCount",
  // LangChain
  "lc_source", "model_provider",
]); // prettier-ignore
/** Verdicts (`safety.ts`), usage and other facts of an answer that fields of its entry have. */
const RECORDED: ReadonlySet<string> = new Set([
  "container", "context_management", "stop_details", "usage",
  "logprobsResult", "safetyRatings",
]); // prettier-ignore
/** LangChain's own notes, `__openai_role__` and the like. */
const OWN_NOTE = /^__(?!proto__$)/;

/**
 * Members that providers add to a message: refusal, audio, reasoning, function_call … Unknown ones
 * are kept: they may be what the model said. Credentials among them are censored.
 */
function additionsOf(kwargs: Fields): Fields {
  const kept = Object.entries(kwargs).filter(([key, value]) => {
    if (COPIES.has(key) || RECORDED.has(key) || OWN_NOTE.test(key)) return false;
    if (ENVELOPE_WORDS.has(key) && typeof value !== "object") return false;
    if (value === undefined || value === null) return false;
    return (
      !(isFields(value) && isEmpty(value)) && !(key === "reasoning" && isEmptyReasoning(value))
    );
  });
  // fromEntries: a member may be called __proto__, and assigning that one would lose it
  return Object.fromEntries(
    kept.map(([key, value]) => [key, isSecretName(key) ? CENSOR : value] as const),
  );
}

function isEmptyReasoning(value: unknown): boolean {
  const { summary, content, encrypted_content: encrypted } = fieldsOf(value);
  return listOf(summary).length === 0 && listOf(content).length === 0 && !encrypted;
}
