// Values as JSON: binary payloads inside them become { mime, bytes, sha256 }, live objects lose what is no content.
import { digestBase64, digestDataUrl, type JsonValue, toJson } from "@ai-audit/core";
import { type Fields, isFields } from "./read.ts";

/** Members that hold base64 or a `data:` URL in the content blocks of LangChain and of the providers. */
const PAYLOADS: ReadonlySet<string> = new Set([
  "data",
  "url",
  "image_url",
  "file_data",
  "b64_json",
  "base64",
  "result",
  "partial_image_b64",
]);
const MIMES = ["mime_type", "mimeType", "media_type", "format"] as const;

/** Namespaces of `@langchain/core` whose objects are content. */
const CONTENT: ReadonlySet<JsonValue | undefined> = new Set(["messages", "prompt_values", "documents"]);

/** In place of what no entry may hold. */
export const NOT_KEPT = "[not kept]";

/** Members of a client's options, wherever somebody hands them on. */
const CLIENT_SECRETS: ReadonlySet<string> = new Set([
  "apiKey",
  "api_key",
  "openAIApiKey",
  "azureOpenAIApiKey",
  "anthropicApiKey",
  "defaultHeaders",
  "default_headers",
]);

/** Members of objects with a class of their own, such as a provider's client, that hold what no entry may. */
const SECRET = /api_?key|headers|authorization|token_?provider|access_?token|secret|password|credential/i;

/**
 * A JSON snapshot of `value` in which base64 of more than `inlineBytes` is `{ mime, bytes, sha256 }`. Of a model, a
 * chain or another live part of LangChain it holds the name alone: the rest is configuration, with headers in clear.
 */
export function snapshot(value: unknown, inlineBytes: number): JsonValue {
  return shrink(toJson(value), inlineBytes);
}

/** A snapshot of each of these members. */
export function snapshotOfFields(fields: Fields, inlineBytes: number): Record<string, JsonValue> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, snapshot(value, inlineBytes)]));
}

/** A snapshot of an object with a class of its own: without what such objects keep secrets under. */
export function snapshotOfObject(value: unknown, inlineBytes: number): JsonValue {
  return withoutSecrets(snapshot(value, inlineBytes));
}

function withoutSecrets(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map((element) => withoutSecrets(element));
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, SECRET.test(key) ? NOT_KEPT : withoutSecrets(member)]),
  );
}

/** What LangChain's `toJSON` makes of its parts: `{ lc, type, id, kwargs }`. Undefined for everything else. */
function nameOfPart(value: { readonly [key: string]: JsonValue }): JsonValue | undefined {
  const { lc, type, id } = value;
  if (lc !== 1 || id === undefined || id === null || typeof id !== "object" || !isList(id)) return undefined;
  return id[0] === "langchain_core" && CONTENT.has(id[1]) ? undefined : { lc, type: type ?? null, id };
}

function shrink(value: JsonValue, inlineBytes: number): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map((element) => shrink(element, inlineBytes));
  const part = nameOfPart(value);
  if (part !== undefined) return part;
  // fromEntries: a member may be called __proto__, and assigning that one would lose it
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if (isClientSecret(key, member)) return [key, NOT_KEPT];
      const payload =
        typeof member === "string" && PAYLOADS.has(key) ? digestOf(member, value, inlineBytes) : undefined;
      return [key, payload ?? shrink(member, inlineBytes)];
    }),
  );
}

/**
 * Whether a member is a key or the headers of a client: a text of such a name, or texts by name. A schema that describes
 * a member of such a name has a type.
 */
export function isClientSecret(name: string, value: unknown): boolean {
  if (!CLIENT_SECRETS.has(name)) return false;
  if (!isFields(value)) return typeof value === "string";
  return !("type" in value) && Object.values(value).every((member) => !isFields(member));
}

function digestOf(
  text: string,
  block: { readonly [key: string]: JsonValue },
  inlineBytes: number,
): JsonValue | undefined {
  const digest = digestDataUrl(text, inlineBytes) ?? digestBase64(text, inlineBytes);
  if (digest === undefined) return undefined;
  const mime = MIMES.map((name) => block[name]).find((one) => typeof one === "string");
  return mime === undefined ? digest : { mime, ...digest };
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
