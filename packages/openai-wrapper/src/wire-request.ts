// What a request is for its surface, from what the SDK has of it.
import type { WireRequest } from "./surface.ts";

/**
 * The request as `prepareRequest` sees it. A call that failed before that has not been serialised:
 * then its body has its plain members alone, since a `toJSON` of the caller's must not run again.
 */
export function wireRequestOf(
  client: object,
  options: object,
  url?: unknown,
  init?: unknown,
): WireRequest {
  const {
    method = "",
    path = "",
    body,
  } = options as { method?: unknown; path?: unknown; body?: unknown };
  const sent = typeof init === "object" && init !== null && "body" in init ? init.body : undefined;
  return {
    method: String(method),
    path: pathOf(String(path)),
    url: String(url ?? path),
    body:
      init === undefined ? plainMembersOf(body) : typeof sent === "string" ? parseJson(sent) : sent,
    isSerialized: init !== undefined,
    provider: providerOf(client),
  };
}

/** The provider whose client this is, also behind a gateway of the caller's. */
function providerOf(client: object): string | undefined {
  if ("deploymentName" in client && "apiVersion" in client) return "azure.ai.openai";
  return "bedrockTokenProvider" in client ? "aws.bedrock" : undefined;
}

function plainMembersOf(body: unknown): unknown {
  if (typeof body !== "object" || body === null) return body;
  return Object.fromEntries(
    Object.entries(Object.getOwnPropertyDescriptors(body)).flatMap(([name, { value }]) =>
      PLAIN.has(typeof value) ? [[name, value as unknown]] : [],
    ),
  );
}

const PLAIN: ReadonlySet<string> = new Set(["string", "number", "boolean"]);

function pathOf(path: string): string {
  if (!path.startsWith("/") && URL.canParse(path)) return new URL(path).pathname;
  const query = path.indexOf("?");
  return query < 0 ? path : path.slice(0, query);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // a body that is not JSON is recorded as the text it is
  }
}
