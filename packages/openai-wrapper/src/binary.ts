// Binary payloads that come in pieces or as forms; those at hand are digested by core.
import { createHash } from "node:crypto";
import type { BinaryDigest, JsonValue } from "@ai-audit/core/capture";

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
  for (const [key, value] of form)
    add(described, key, typeof value === "string" ? value : await describeBlob(value));
  return described;
}

/** As `describeForm`, at once and so without the files' digests. */
export function outlineForm(form: FormData): Record<string, JsonValue> {
  const described: Record<string, JsonValue> = {};
  for (const [key, value] of form)
    add(described, key, typeof value === "string" ? value : outlineBlob(value));
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
  else
    described[name] = Array.isArray(before)
      ? [...(before as readonly JsonValue[]), value]
      : [before, value];
}
