// Binary payloads become { mime, bytes, sha256 }: an audit log is no place for megabytes of base64.
import { hash } from "node:crypto";
import type { JsonValue } from "./canonical.ts";

/** Up to this many bytes a payload stays as it is: a digest would save nothing. */
export const INLINE_BYTES = 2048;

/** The form in which an entry keeps a binary payload; with `mime` where it is known. */
export interface BinaryDigest {
  readonly [key: string]: JsonValue;
  readonly bytes: number;
  /** 64 hex digits, over the decoded bytes. */
  readonly sha256: string;
}

/** Digest of bytes in memory. */
export function digestBytes(bytes: Uint8Array, mime?: string): BinaryDigest {
  return {
    ...(mime !== undefined && { mime }),
    bytes: bytes.byteLength,
    sha256: hash("sha256", bytes),
  };
}

const DATA_URL = /^data:([^;,]{0,127})(?:;[^;,]{1,127}){0,8};base64,/i;
/** Longer than any match of `DATA_URL`. */
const MAX_URL_BEGINNING = 1500;

/**
 * The digest of a base64 `data:` URL of more than `inlineBytes`; undefined for any other string.
 */
export function digestDataUrl(
  text: string,
  inlineBytes: number = INLINE_BYTES,
): BinaryDigest | undefined {
  if (text.length <= inlineBytes) return undefined;
  const match = DATA_URL.exec(text.slice(0, MAX_URL_BEGINNING));
  return match
    ? digestOf(text.slice(match[0].length), inlineBytes, match[1] || undefined)
    : undefined;
}

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}\s*$/;

/**
 * The digest of base64 of more than `inlineBytes`; undefined for less, and for anything but base64.
 */
export function digestBase64(
  base64: string,
  inlineBytes: number = INLINE_BYTES,
  mime?: string,
): BinaryDigest | undefined {
  return base64.length > inlineBytes && BASE64.test(base64)
    ? digestOf(base64, inlineBytes, mime)
    : undefined;
}

function digestOf(
  base64: string,
  inlineBytes: number,
  mime: string | undefined,
): BinaryDigest | undefined {
  const bytes = Buffer.from(base64, "base64");
  return bytes.byteLength > inlineBytes ? digestBytes(bytes, mime) : undefined;
}
