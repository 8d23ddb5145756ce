// From a payload's content to what an entry keeps of it: a copy, without bulky binaries, of bounded size.
import { hash } from "node:crypto";
import { canonicalJson, type JsonValue, toJson } from "@ai-audit/core";
import { digestBase64, digestDataUrl, outlineBlob } from "../binary.ts";
import type { ExtractOptions } from "./contract.ts";
import { isFields } from "./read.ts";

/** Members that hold bare base64, and the member beside them that tells its type. */
const BASE64_MEMBERS: ReadonlySet<string> = new Set([
  "b64_json",
  "data",
  "encrypted_content",
  "file_data",
  "partial_image_b64",
  "result",
]);

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
    (key !== undefined && BASE64_MEMBERS.has(key) ? digestBase64(text, mimeOf(parent)) : undefined);
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

/** Content as the entry gets it, and what there is to say about it. */
export interface BoundedContent {
  readonly value: JsonValue;
  readonly alerts: readonly string[];
}

/** The input as the entry gets it: whole, or its digest where it is too large or not wanted. */
export function boundInput(content: JsonValue, options: ExtractOptions): BoundedContent {
  return bound(content, options.captureInput ? undefined : "captureInput", "input", options.maxContentBytes);
}

/** The output as the entry gets it. */
export function boundOutput(content: JsonValue, options: ExtractOptions): BoundedContent {
  return bound(content, options.captureOutput ? undefined : "captureOutput", "output", options.maxContentBytes);
}

function bound(content: JsonValue, unwanted: string | undefined, what: string, maxBytes: number): BoundedContent {
  if (unwanted !== undefined) return { value: digestContent(content, unwanted), alerts: [] };
  if (sizeAtLeast(content, maxBytes) <= maxBytes) return { value: content, alerts: [] };
  return {
    value: digestContent(content, "maxContentBytes"),
    alerts: [`ai-audit: the ${what} is larger than maxContentBytes: digest and length kept`],
  };
}

/** What stands for content that is not kept: its length and SHA-256, in the form it would have been hashed. */
export function digestContent(content: JsonValue, omitted: string): JsonValue {
  const text = typeof content === "string" ? content : canonicalJson(content);
  return { omitted, bytes: Buffer.byteLength(text), sha256: hash("sha256", text) };
}

/** About the bytes of a value's canonical JSON, never more; stops counting beyond `limit`. */
function sizeAtLeast(value: JsonValue, limit: number): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value !== "object" || value === null) return 1;
  let size = 2;
  for (const [key, member] of Object.entries(value)) {
    size += (Array.isArray(value) ? 1 : key.length + 4) + sizeAtLeast(member as JsonValue, limit - size);
    if (size > limit) break;
  }
  return size;
}
