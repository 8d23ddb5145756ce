// JSON copies of values, made in one walk: messages and commands in the neutral shape, binaries as
// digests, live objects without their configuration.
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
 * A JSON snapshot of any value. Base64 of more than `inlineBytes` becomes `{ mime, bytes, sha256
 * }`. A model, a chain or another live part of LangChain becomes its name: the rest is
 * configuration, with headers in clear. In instances of classes, and in everything inside them,
 * members with secret names are censored.
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

/** A snapshot of a message in the neutral shape. */
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

/** Replaces strings and objects on their way into a snapshot. */
function replacer(inlineBytes: number): Replace {
  /** Instances of classes, and the objects in them. */
  const guarded = new Set<object>();
  let last: object | undefined;
  return (value, key, holder) => {
    if (typeof key === "string" && isClientSecret(key, value)) return CENSOR;
    if (typeof value === "string") return digestMember(value, key, holder, inlineBytes) ?? value;
    // The result of a toJSON has no holder: it follows the object with the toJSON.
    const around = holder ?? last;
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

/** The shape to keep of a message, a command or a part of LangChain; any other object itself. */
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

/**
 * The name in LangChain's `toJSON` of its parts: `{ lc, type, id, kwargs }`. Undefined for
 * everything else.
 */
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
