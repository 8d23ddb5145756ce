// Binary payloads in messages and values: { mime, bytes, sha256 } instead of the bytes.
import { type BinaryDigest, digestBase64, digestDataUrl } from "@ai-audit/core/capture";
import type { Fields } from "./read.ts";

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

/** The digest of a member that holds more than `inlineBytes` of base64; undefined for every other text. */
export function digestOf(
  text: string,
  key: string,
  holder: Fields,
  inlineBytes: number,
): BinaryDigest | undefined {
  if (!PAYLOADS.has(key)) return undefined;
  const digest = digestDataUrl(text, inlineBytes) ?? digestBase64(text, inlineBytes);
  if (digest === undefined) return undefined;
  const mime = MIMES.map((name) => holder[name]).find((one) => typeof one === "string");
  return mime === undefined ? digest : { mime, ...digest };
}
