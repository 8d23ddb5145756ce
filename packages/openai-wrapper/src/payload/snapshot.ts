// A copy of a payload as JSON, without bulky binaries: SDKs change the objects they hand out afterwards.
import { digestBase64, digestDataUrl, type JsonValue, toJson } from "@ai-audit/core/capture";
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
    return (
      "format" in parent || "transcript" in parent || "mime_type" in parent || "mimeType" in parent
    );
  return key === "result" && "type" in parent && parent.type === "image_generation_call";
}

/** A copy of any value as JSON in which binaries of more than 2 KB are digests. */
export function snapshot(value: unknown): JsonValue {
  return toJson(value, outline);
}

function outline(
  value: string | object,
  key: string | number | undefined,
  holder: object | undefined,
): unknown {
  if (typeof value === "string") return outlineText(value, key, holder);
  return value instanceof Blob ? outlineBlob(value) : value;
}

function outlineText(
  text: string,
  key: string | number | undefined,
  holder: object | undefined,
): JsonValue {
  const digest =
    digestDataUrl(text) ??
    (typeof key === "string" && holder !== undefined && isBase64Member(key, holder)
      ? digestBase64(text, undefined, mimeOf(holder))
      : undefined);
  return digest ?? text;
}

function mimeOf(parent: object | undefined): string | undefined {
  if (!isFields(parent)) return undefined;
  const { mime_type: mime, format, output_format: outputFormat, type } = parent;
  if (typeof mime === "string") return mime;
  if (typeof format === "string") return `audio/${format}`;
  if (typeof outputFormat === "string") return `image/${outputFormat}`;
  return type === "image_generation_call" ? "image/png" : undefined;
}
