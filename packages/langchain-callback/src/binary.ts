// Binary payloads inside messages become { mime, bytes, sha256 }.
import { digestBase64, digestDataUrl, type JsonValue, toJson } from "@ai-audit/core";

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

/** A JSON snapshot of `value` in which base64 of more than `inlineBytes` is `{ mime, bytes, sha256 }`. */
export function snapshot(value: unknown, inlineBytes: number): JsonValue {
  return shrink(toJson(value), inlineBytes);
}

function shrink(value: JsonValue, inlineBytes: number): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map((element) => shrink(element, inlineBytes));
  // fromEntries: a member may be called __proto__, and assigning that one would lose it
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const payload =
        typeof member === "string" && PAYLOADS.has(key) ? digestOf(member, value, inlineBytes) : undefined;
      return [key, payload ?? shrink(member, inlineBytes)];
    }),
  );
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
