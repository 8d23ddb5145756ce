// Requests may carry credentials: an MCP server's token, its headers, secrets for a container's network.
import type { JsonValue } from "@ai-audit/core/capture";

const CENSOR = "[REDACTED]";

/** Members whose value, or whose members' values, are credentials. */
const SECRET_MEMBER =
  /^(?:authorization|authentication|headers|domain_secrets|credentials?|passwords?|secrets?|tokens?|api_?keys?|key|connection_string)$|(?:^|_)(?:secret|password|credential|api_?key|private_key|access_token|refresh_token|auth_token)(?:s|_value)?$/i;

/** JSON Schema names properties; it holds none of their values. */
const SCHEMA_MEMBER = /^(?:json_)?schema$/;

/** Keys of OpenAI, also the short-lived ones that a session is given. */
const SECRET_TEXT = /^(?:sk|ek|rk|sess)[-_][\w-]{4,}$/;

/** A request in which the credentials among `tools` are censored; their names stay. */
export function withoutToolSecrets(input: JsonValue): JsonValue {
  if (
    typeof input !== "object" ||
    input === null ||
    !("tools" in input) ||
    !Array.isArray(input["tools"])
  ) {
    return input;
  }
  // Functions hold JSON Schema, where such a name is a property's and no secret.
  const tools = input["tools"].map((tool: JsonValue) =>
    isFunction(tool) ? tool : withoutSecrets(tool),
  );
  return { ...input, tools };
}

/** The value in which members that are credentials by their name or form are censored. */
export function withoutSecrets(value: JsonValue): JsonValue {
  if (typeof value === "string") return SECRET_TEXT.test(value) ? CENSOR : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (isFunction(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      SCHEMA_MEMBER.test(key)
        ? member
        : SECRET_MEMBER.test(key)
          ? censorAll(member)
          : withoutSecrets(member),
    ]),
  );
}

function isFunction(tool: JsonValue): boolean {
  return typeof tool === "object" && tool !== null && "type" in tool && tool["type"] === "function";
}

/** Names stay, values go; numbers, such as counts of tokens, are no credentials. */
function censorAll(value: JsonValue): JsonValue {
  if (typeof value === "string") return CENSOR;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(censorAll);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, censorAll(member)]));
}
