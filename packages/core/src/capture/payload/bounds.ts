// The part of a content that an entry keeps: all of it, or a digest if it is too large or not
// wanted.
import { hash } from "node:crypto";
import { canonicalJson, type JsonValue } from "../../format/canonical.ts";
import { isFields } from "./read.ts";

/** The part of a call's content that its entry gets. */
export interface ContentBounds {
  /** Larger content becomes `{ omitted, bytes, sha256 }`, in bytes of UTF-8. */
  readonly maxContentBytes: number;
  /** false: only digest and length of the input. */
  readonly captureInput: boolean;
  /** false: only digest and length of the output. */
  readonly captureOutput: boolean;
}

/** Content as the entry gets it, with the alerts about it. */
export interface BoundedContent {
  readonly value: JsonValue;
  readonly alerts: readonly string[];
}

/** The input as the entry gets it: whole, or its digest if it is too large or not wanted. */
export function boundInput(content: JsonValue, options: ContentBounds): BoundedContent {
  return bound(
    content,
    options.captureInput ? undefined : "captureInput",
    "input",
    options.maxContentBytes,
  );
}

/** The output as the entry gets it. */
export function boundOutput(content: JsonValue, options: ContentBounds): BoundedContent {
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

/** The alert about content that was too large to keep. */
export function tooLarge(what: string): string {
  return `ai-audit: the ${what} is larger than maxContentBytes: only digest and length are kept`;
}

/** Whether a value stands for content that had no room while it was streamed. */
export function isOmission(content: unknown): boolean {
  return isFields(content) && content["omitted"] === "maxContentBytes";
}

/** Length and SHA-256 of content that is not kept, in the form that would have been hashed. */
export function digestContent(content: JsonValue, omitted: string): JsonValue {
  const text = typeof content === "string" ? content : canonicalJson(content);
  return { omitted, bytes: Buffer.byteLength(text), sha256: hash("sha256", text) };
}

/** `Array.isArray` that also narrows readonly arrays. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Approximate bytes of a value's canonical JSON, never more; stops counting beyond `limit`. */
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
