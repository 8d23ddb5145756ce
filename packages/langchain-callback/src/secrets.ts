// What no entry may hold of the objects that programs hand to tools and chains.
import { isFields } from "./read.ts";

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
const SECRET =
  /api_?key|headers|authorization|token_?provider|access_?token|secret|password|credential/i;

/**
 * Whether a member is a key or the headers of a client: a text of such a name, or texts by name. A schema that describes
 * a member of such a name has a type.
 */
export function isClientSecret(name: string, value: unknown): boolean {
  if (!CLIENT_SECRETS.has(name)) return false;
  if (!isFields(value)) return typeof value === "string";
  return !("type" in value) && Object.values(value).every((member) => !isFields(member));
}

/** An object of a class, or in one, as a plain one without what such objects keep secrets under; itself where it has none. */
export function withoutSecrets(value: object): object {
  if (value instanceof Set) return [...value];
  if (value instanceof Map) return withoutSecrets(Object.fromEntries(value));
  // What a toJSON gives is looked at in its turn; bytes become a digest.
  if (Array.isArray(value) || ArrayBuffer.isView(value) || hasToJson(value)) return value;
  const secrets = Object.keys(value).filter((name) => SECRET.test(name));
  if (secrets.length === 0) return value;
  const hidden = value instanceof Error ? { name: value.name, message: value.message } : {};
  return { ...hidden, ...value, ...Object.fromEntries(secrets.map((name) => [name, NOT_KEPT])) };
}

function hasToJson(value: object): boolean {
  return "toJSON" in value && typeof value.toJSON === "function";
}
