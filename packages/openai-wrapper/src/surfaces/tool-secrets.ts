// Tool definitions may carry credentials: an MCP server's token, its headers, secrets for a container's network.
import type { JsonValue } from "@ai-audit/core";

const CENSOR = "[REDACTED]";

/** Members whose value, or whose members' values, are credentials. */
const SECRET_MEMBERS: ReadonlySet<string> = new Set(["authorization", "headers", "domain_secrets"]);

/** A request in which the credentials among `tools` are censored; their names stay. */
export function withoutToolSecrets(input: JsonValue): JsonValue {
  if (typeof input !== "object" || input === null || !("tools" in input) || !Array.isArray(input.tools)) return input;
  // Functions hold JSON Schema, where such a name is a property's and no secret.
  const tools = input.tools.map((tool: JsonValue) => (isFunction(tool) ? tool : censorMembers(tool)));
  return { ...input, tools };
}

function isFunction(tool: JsonValue): boolean {
  return typeof tool === "object" && tool !== null && "type" in tool && tool.type === "function";
}

function censorMembers(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(censorMembers);
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      SECRET_MEMBERS.has(key) ? censorAll(member) : censorMembers(member),
    ]),
  );
}

/** Names stay, values go. */
function censorAll(value: JsonValue): JsonValue {
  if (value === null) return null;
  if (typeof value !== "object") return CENSOR;
  if (Array.isArray(value)) return value.map(censorAll);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, censorAll(member)]));
}
