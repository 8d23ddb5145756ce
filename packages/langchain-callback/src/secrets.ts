// Credentials in the live objects that programs hand to tools and chains.
import { CENSOR, isSecretName } from "@ai-audit/core/capture";

/**
 * An object with a class, or one inside of it, as a plain object without its credentials. Returns
 * the object itself if it has none.
 */
export function withoutSecretMembers(value: object): object {
  if (value instanceof Set) return [...value];
  if (value instanceof Map) return withoutSecretMembers(Object.fromEntries(value));
  // The result of a toJSON is examined in its turn; bytes become a digest.
  if (Array.isArray(value) || ArrayBuffer.isView(value) || hasToJson(value)) return value;
  const secrets = Object.keys(value).filter(isSecretName);
  if (secrets.length === 0) return value;
  const hidden = value instanceof Error ? { name: value.name, message: value.message } : {};
  return { ...hidden, ...value, ...Object.fromEntries(secrets.map((name) => [name, CENSOR])) };
}

function hasToJson(value: object): boolean {
  return "toJSON" in value && typeof value.toJSON === "function";
}
