// Binary payloads inside messages become { mime, bytes, sha256 }.
import { hash } from "node:crypto";
import { type JsonValue, toJson } from "@ai-audit/core";

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
const DATA_URL = /^data:([^;,]{0,127})(?:;[^;,]{1,127}){0,8};base64,/i;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}\s*$/;

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
  if (text.length <= inlineBytes) return undefined;
  const url = DATA_URL.exec(text.slice(0, 1500));
  if (!url && !BASE64.test(text)) return undefined;
  const bytes = Buffer.from(url ? text.slice(url[0].length) : text, "base64");
  if (bytes.byteLength <= inlineBytes) return undefined;
  const mime = url?.[1] || MIMES.map((name) => block[name]).find((one) => typeof one === "string");
  return { ...(typeof mime === "string" && { mime }), bytes: bytes.byteLength, sha256: hash("sha256", bytes) };
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
