// Binary payloads as { mime, bytes, sha256 }: at hand, in pieces, in forms, and inside JSON.
import { createHash } from "node:crypto";
import {
  type BinaryDigest,
  digestBase64,
  digestDataUrl,
  INLINE_BYTES,
} from "../../format/binary-digest.ts";
import type { JsonValue } from "../../format/canonical.ts";
import { type Fields, fieldsOf, firstText } from "./read.ts";

/** Members that hold bare base64, by their name alone. */
const BASE64_MEMBERS: ReadonlySet<string> = new Set([
  "b64_json",
  "base64",
  "blob",
  "encrypted_content",
  "file_data",
  "partial_image_b64",
]);

/** Members beside which `data` is base64. */
const BESIDE_DATA = [
  "format",
  "transcript",
  "mime_type",
  "mimeType",
  "media_type",
  "source_type",
] as const;

/** Types of content parts whose `data` is base64. */
const BINARY_PART = /^(?:image|audio|video|file|input_audio|media|base64)$/;

/**
 * The digest that stands for a string member with more than `inlineBytes` of base64: a `data:` URL
 * under any name, bare base64 under the names that providers use for it. Otherwise undefined.
 */
export function digestMember(
  text: string,
  key: string | number | undefined,
  holder: unknown,
  inlineBytes: number = INLINE_BYTES,
): BinaryDigest | undefined {
  if (text.length <= inlineBytes) return undefined;
  const parent = fieldsOf(holder);
  const digest =
    digestDataUrl(text, inlineBytes) ??
    (typeof key === "string" && isBase64Member(key, parent)
      ? digestBase64(text, inlineBytes)
      : undefined);
  if (digest === undefined) return undefined;
  const mime = mimeOf(parent);
  return mime === undefined ? digest : { mime, ...digest };
}

function isBase64Member(key: string, parent: Fields): boolean {
  if (BASE64_MEMBERS.has(key)) return true;
  const { type } = parent;
  if (key === "data")
    return (
      BESIDE_DATA.some((name) => name in parent) ||
      (typeof type === "string" && BINARY_PART.test(type))
    );
  return key === "result" && type === "image_generation_call";
}

function mimeOf(parent: Fields): string | undefined {
  const { format, output_format: outputFormat, type } = parent;
  const said = firstText(parent["mime_type"], parent["mimeType"], parent["media_type"]);
  if (said !== undefined) return said;
  if (typeof format === "string") return `audio/${format}`;
  if (typeof outputFormat === "string") return `image/${outputFormat}`;
  return type === "image_generation_call" ? "image/png" : undefined;
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
 * A form as plain JSON: strings unchanged, files as `{ name, mime, bytes, sha256 }`, a repeated
 * field as an array. Reads the files' bytes: start it before the request, await it at the end.
 */
export async function describeForm(form: FormData): Promise<Record<string, JsonValue>> {
  const described: Record<string, JsonValue> = {};
  for (const [key, value] of form)
    addField(described, key, typeof value === "string" ? value : await describeBlob(value));
  return described;
}

/** As `describeForm`, but synchronous and without the files' digests. */
export function outlineForm(form: FormData): Record<string, JsonValue> {
  const described: Record<string, JsonValue> = {};
  for (const [key, value] of form)
    addField(described, key, typeof value === "string" ? value : outlineBlob(value));
  return described;
}

/** The name, type and size of a file, which is not read. */
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

/** Adds a field to a form described so far: a repeated one becomes an array. */
export function addField(
  described: Record<string, JsonValue>,
  key: string,
  value: JsonValue,
): void {
  // SDKs write an array into a form as `field[]`.
  const name = key.endsWith("[]") ? key.slice(0, -2) : key;
  const before = described[name];
  if (before === undefined) described[name] = key === name ? value : [value];
  else described[name] = isList(before) ? [...before, value] : [before, value];
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
