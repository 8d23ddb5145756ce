// The request in the form that surfaces read, from the SDK's options and RequestInit.
import { firstText, textOf } from "../payload/read.ts";
import type { SdkHost } from "./host.ts";
import type { WireRequest } from "./surface.ts";

/**
 * The request as `prepareRequest` sees it. A call that failed before that may have failed in a
 * `toJSON` or a getter of the caller's, which must not run again: a body that has any keeps its
 * plain members.
 */
export function wireRequestOf(
  host: SdkHost,
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
  const isSerialized = init !== undefined || isPlainData(body, new Set());
  const sent = typeof init === "object" && init !== null && "body" in init ? init.body : undefined;
  return {
    method: String(method),
    path: pathOf(String(path)),
    url: firstText(url, `${textOf(Reflect.get(client, "baseURL")) ?? ""}${String(path)}`) ?? "",
    body:
      init === undefined
        ? isSerialized
          ? body
          : plainMembersOf(body)
        : typeof sent === "string"
          ? parseJson(sent)
          : sent,
    isSerialized,
    provider: host.providerOf(client),
  };
}

/** Whether a value can be read without running any of its owner's code. */
function isPlainData(value: unknown, seen: Set<object>): boolean {
  if (typeof value !== "object" || value === null) return typeof value !== "function";
  if (seen.has(value)) return true;
  if (seen.add(value).size > MAX_LOOKED_AT) return false;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype)
    return value instanceof FormData || value instanceof Blob;
  return Object.entries(Object.getOwnPropertyDescriptors(value)).every(
    ([name, member]) => "value" in member && name !== "toJSON" && isPlainData(member.value, seen),
  );
}

/** Number of objects examined in a body. A larger body counts as not plain. */
const MAX_LOOKED_AT = 10_000;

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
    return text; // a body that is not JSON is recorded as text
  }
}
