// Values as JSON, copied in one walk: messages and commands in their neutral shape, binaries as digests, of live objects
// what is content.
import {
  CENSOR,
  type Fields,
  type JsonValue,
  type Replace,
  digestMember,
  fieldsOf,
  isClientSecret,
  listOf,
  toJson,
} from "@ai-audit/core/capture";
import { isMessage, neutralMessage } from "./messages.ts";
import { withoutSecretMembers } from "./secrets.ts";

/** Namespaces of `@langchain/core` whose objects are content. */
const CONTENT: ReadonlySet<unknown> = new Set(["messages", "prompt_values", "documents"]);

/**
 * A JSON snapshot of any value, in which base64 of more than `inlineBytes` is `{ mime, bytes, sha256 }`. Of a model, a
 * chain or another live part of LangChain it holds the name alone: the rest is configuration, with headers in clear.
 * Of an object with a class of its own, and of what is in it, it holds nothing that such objects keep secrets under.
 */
export function snapshot(value: unknown, inlineBytes: number): JsonValue {
  return typeof value === "object" ? toJson(value, replacer(inlineBytes)) : toJson(value);
}

/** A snapshot of each of these members. */
export function snapshotOfFields(fields: Fields, inlineBytes: number): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, snapshot(value, inlineBytes)]),
  );
}

/** A message as the entry keeps it. Only what the model sees or said; a snapshot. */
export function describeMessage(message: unknown, inlineBytes: number): JsonValue {
  const neutral = neutralMessage(message);
  const { role, content } = neutral;
  const isText = typeof content === "string" && Object.keys(neutral).length === 2; // most are
  return isText ? { role, content: content.toWellFormed() } : snapshot(neutral, inlineBytes);
}

/** LangGraph's `Command`, of any copy of the package. */
export function isCommand(value: unknown): value is Fields {
  return fieldsOf(value)["lg_name"] === "Command";
}

/** What a snapshot holds in place of each text and object. */
function replacer(inlineBytes: number): Replace {
  /** Objects with a class of their own, and the objects in them. */
  const guarded = new Set<object>();
  let last: object | undefined;
  return (value, key, holder) => {
    if (typeof key === "string" && isClientSecret(key, value)) return CENSOR;
    if (typeof value === "string") return digestMember(value, key, holder, inlineBytes) ?? value;
    const around = holder ?? last; // what a toJSON gave has no holder: it comes after the object that has the toJSON
    const content = contentOf(value);
    const isGuarded =
      (around !== undefined && guarded.has(around)) || (content === value && hasClass(value));
    const kept = isGuarded ? withoutSecretMembers(content) : content;
    if (isGuarded) guarded.add(kept);
    else guarded.delete(kept); // it may be in a guarded object elsewhere
    last = kept;
    return kept;
  };
}

/** A message, a command or a part of LangChain as it is kept; every other object itself. */
function contentOf(value: object): object {
  if (isMessage(value)) return neutralMessage(value);
  if (isCommand(value)) return neutralCommand(value);
  return nameOfPart(fieldsOf(value)) ?? value;
}

function neutralCommand({ goto, update, resume, graph }: Fields): Fields {
  const parts = Object.entries({ goto, update, resume, graph }).filter(
    ([, part]) => part !== undefined && (!Array.isArray(part) || part.length > 0),
  );
  return { command: Object.fromEntries(parts) };
}

/** What LangChain's `toJSON` makes of its parts: `{ lc, type, id, kwargs }`. Undefined for everything else. */
function nameOfPart({ lc, type, id }: Fields): Fields | undefined {
  if (lc !== 1 || !Array.isArray(id)) return undefined;
  const [where, what] = listOf(id);
  return where === "langchain_core" && CONTENT.has(what)
    ? undefined
    : { lc, type: type ?? null, id };
}

function hasClass(value: object): boolean {
  if (Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}
