// Binary payloads become { mime, bytes, sha256 }: an audit log is no place for megabytes of base64.
import { createHash, hash } from "node:crypto";
import type { JsonValue } from "@ai-audit/core";

/** Up to this many bytes stay as they are: a digest would save nothing. */
export const INLINE_BYTES = 2048;

/** What an entry keeps of a binary payload. */
export interface BinaryDigest {
  readonly [key: string]: JsonValue;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** Digest of bytes in memory. */
export function digestBytes(bytes: Uint8Array, mime?: string): BinaryDigest {
  return { ...(mime !== undefined && { mime }), bytes: bytes.byteLength, sha256: hash("sha256", bytes) };
}

const DATA_URL = /^data:([^;,]{0,127})(?:;[^;,]{1,127}){0,8};base64,/i;

/** The digest that stands for a base64 `data:` URL of more than `INLINE_BYTES`; undefined for any other text. */
export function digestDataUrl(text: string): BinaryDigest | undefined {
  if (text.length <= INLINE_BYTES || !text.startsWith("data:")) return undefined;
  const match = DATA_URL.exec(text);
  return match ? digestBase64(text.slice(match[0].length), match[1] || undefined) : undefined;
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** The digest that stands for base64 of more than `INLINE_BYTES`; undefined for less, and for what is no base64. */
export function digestBase64(base64: string, mime?: string): BinaryDigest | undefined {
  if (base64.length <= INLINE_BYTES || !BASE64.test(base64)) return undefined;
  const bytes = Buffer.from(base64, "base64");
  return bytes.byteLength > INLINE_BYTES ? digestBytes(bytes, mime) : undefined;
}

/** SHA-256 and length of base64 that comes in pieces, over the decoded bytes. */
export class Base64Digest {
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #rest = "";

  push(piece: string): void {
    const text = this.#rest + piece;
    // Pieces may be cut anywhere: decode whole groups of four.
    const whole = text.endsWith("=") ? text.length : text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    this.#update(text.slice(0, whole));
  }

  /** The digest so far. */
  digest(mime?: string): BinaryDigest {
    const rest = Buffer.from(this.#rest, "base64");
    const sha256 = this.#hash.copy().update(rest).digest("hex");
    return { ...(mime !== undefined && { mime }), bytes: this.#bytes + rest.byteLength, sha256 };
  }

  #update(base64: string): void {
    const bytes = Buffer.from(base64, "base64");
    this.#bytes += bytes.byteLength;
    this.#hash.update(bytes);
  }
}

/**
 * A form as plain JSON: texts as they are, files as `{ name, mime, bytes, sha256 }`, a repeated field as an array.
 * Reads the files' bytes, so start it before the request and await it only when the entry is made.
 */
export async function describeForm(form: FormData): Promise<Record<string, JsonValue>> {
  const described: Record<string, JsonValue> = {};
  for (const [key, value] of form) add(described, key, typeof value === "string" ? value : await describeBlob(value));
  return described;
}

/** As `describeForm`, at once and so without the files' digests. */
export function outlineForm(form: FormData): Record<string, JsonValue> {
  const described: Record<string, JsonValue> = {};
  for (const [key, value] of form) add(described, key, typeof value === "string" ? value : outlineBlob(value));
  return described;
}

/** What can be said of a file without reading it. */
export function outlineBlob(blob: Blob): Record<string, JsonValue> {
  return {
    ...("name" in blob && typeof blob.name === "string" && { name: blob.name }),
    ...(blob.type !== "" && { mime: blob.type }),
    bytes: blob.size,
  };
}

async function describeBlob(blob: Blob): Promise<Record<string, JsonValue>> {
  const sha256 = createHash("sha256");
  for await (const piece of blob.stream()) sha256.update(piece);
  return { ...outlineBlob(blob), sha256: sha256.digest("hex") };
}

function add(described: Record<string, JsonValue>, key: string, value: JsonValue): void {
  // `field[]` is how the SDK writes an array into a form.
  const name = key.endsWith("[]") ? key.slice(0, -2) : key;
  const before = described[name];
  if (before === undefined) described[name] = key === name ? value : [value];
  else described[name] = Array.isArray(before) ? [...(before as readonly JsonValue[]), value] : [before, value];
}
