// What an entry keeps of content: all of it, or its digest where it is too large or not wanted.
import { hash } from "node:crypto";
import type { JsonValue } from "@ai-audit/core/capture";
import { canonicalJson } from "@ai-audit/core/format";
import { isFields } from "../payload/read.ts";
import type { ExtractOptions } from "./contract.ts";

/** Content as the entry gets it, and what there is to say about it. */
export interface BoundedContent {
  readonly value: JsonValue;
  readonly alerts: readonly string[];
}

/** The input as the entry gets it: whole, or its digest where it is too large or not wanted. */
export function boundInput(content: JsonValue, options: ExtractOptions): BoundedContent {
  return bound(
    content,
    options.captureInput ? undefined : "captureInput",
    "input",
    options.maxContentBytes,
  );
}

/** The output as the entry gets it. */
export function boundOutput(content: JsonValue, options: ExtractOptions): BoundedContent {
  return bound(
    content,
    options.captureOutput ? undefined : "captureOutput",
    "output",
    options.maxContentBytes,
  );
}

function bound(
  content: JsonValue,
  unwanted: string | undefined,
  what: string,
  maxBytes: number,
): BoundedContent {
  if (isOmission(content)) return { value: content, alerts: [tooLarge(what)] };
  if (unwanted !== undefined) return { value: digestContent(content, unwanted), alerts: [] };
  if (sizeAtLeast(content, maxBytes) <= maxBytes) return { value: content, alerts: [] };
  return {
    value: digestContent(content, "maxContentBytes"),
    alerts: [tooLarge(what)],
  };
}

/** What an entry says of content that was too large to keep. */
export function tooLarge(what: string): string {
  return `ai-audit: the ${what} is larger than maxContentBytes: digest and length kept`;
}

/** What already stands for content: a text that had no room while it was streamed. */
export function isOmission(content: unknown): boolean {
  return isFields(content) && content["omitted"] === "maxContentBytes";
}

/** What stands for content that is not kept: its length and SHA-256, in the form it would have been hashed. */
export function digestContent(content: JsonValue, omitted: string): JsonValue {
  const text = typeof content === "string" ? content : canonicalJson(content);
  return { omitted, bytes: Buffer.byteLength(text), sha256: hash("sha256", text) };
}

/** `Array.isArray` that also narrows readonly arrays. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** About the bytes of a value's canonical JSON, never more; stops counting beyond `limit`. */
function sizeAtLeast(value: JsonValue, limit: number): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value !== "object" || value === null) return 1;
  let size = 2;
  if (isList(value)) {
    for (const item of value) {
      size += 1 + sizeAtLeast(item, limit - size);
      if (size > limit) break;
    }
    return size;
  }
  for (const key of Object.keys(value)) {
    size += key.length + 4 + sizeAtLeast(value[key] ?? null, limit - size);
    if (size > limit) break;
  }
  return size;
}
