// A copy of a payload as JSON, without bulky binaries: SDKs change the objects they hand out afterwards.
import { type JsonValue, toJson } from "@ai-audit/core";
import { digestBase64, digestDataUrl } from "@ai-audit/core";
import { outlineBlob } from "../binary.ts";
import { isFields } from "./read.ts";

/** Members that hold bare base64 by their name. */
const BASE64_MEMBERS: ReadonlySet<string> = new Set([
  "b64_json",
  "encrypted_content",
  "file_data",
  "partial_image_b64",
]);

/** Whether a member holds bare base64; `data` and `result` do so beside certain others only. */
function isBase64Member(key: string, parent: object): boolean {
  if (BASE64_MEMBERS.has(key)) return true;
  if (key === "data")
    return "format" in parent || "transcript" in parent || "mime_type" in parent || "mimeType" in parent;
  return key === "result" && "type" in parent && parent.type === "image_generation_call";
}

/** Deeper values are left to `toJson`, which copes with cycles and endless depth. */
const MAX_DEPTH = 64;

/** A copy of any value as JSON in which binaries of more than 2 KB are digests. */
export function snapshot(value: unknown): JsonValue {
  return copy(value, undefined, undefined, 0) ?? null;
}

function copy(
  value: unknown,
  key: string | undefined,
  parent: object | undefined,
  depth: number,
): JsonValue | undefined {
  if (typeof value === "string") return copyText(value, key, parent);
  if (typeof value !== "object" || value === null) return value === undefined ? undefined : toJson(value);
  if (depth >= MAX_DEPTH) return toJson(value);
  if (Array.isArray(value)) return value.map((item: unknown) => copy(item, undefined, undefined, depth + 1) ?? null);
  if (value instanceof Blob) return outlineBlob(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!isFields(value) || (prototype !== Object.prototype && prototype !== null)) return toJson(value);
  const result: Record<string, JsonValue> = {};
  for (const name of Object.keys(value)) {
    if (name === "__proto__") return toJson(value);
    const member = copy(value[name], name, value, depth + 1);
    if (member !== undefined) result[name] = member;
  }
  return result;
}

function copyText(text: string, key: string | undefined, parent: object | undefined): JsonValue {
  const digest =
    digestDataUrl(text) ??
    (key !== undefined && parent !== undefined && isBase64Member(key, parent)
      ? digestBase64(text, undefined, mimeOf(parent))
      : undefined);
  return digest ?? text.toWellFormed();
}

function mimeOf(parent: object | undefined): string | undefined {
  if (!isFields(parent)) return undefined;
  const { mime_type: mime, format, output_format: outputFormat, type } = parent;
  if (typeof mime === "string") return mime;
  if (typeof format === "string") return `audio/${format}`;
  if (typeof outputFormat === "string") return `image/${outputFormat}`;
  return type === "image_generation_call" ? "image/png" : undefined;
}
