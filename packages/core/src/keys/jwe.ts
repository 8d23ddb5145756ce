// Compact JWE with a direct key: RFC 7516 section 3.1, RFC 7518 sections 4.5 (dir) and 5.3
// (A256GCM).
import { isUtf8 } from "node:buffer";
import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import { AuditDecryptError } from "../errors.ts";
import { decodeBase64url } from "./base64url.ts";
import { parseKid } from "./kid.ts";
import { NONCE_BYTES } from "./nonce.ts";
import { parseJson } from "./parse-json.ts";

const CIPHER = "aes-256-gcm";
const TAG = { authTagLength: 16 };

/** The two header parameters that differ between JWEs of this library. */
export interface JweHeader {
  /** The key: see kid.ts. */
  readonly kid: string;
  /** The kind of the text and, for an entry's content, which entry and field it belongs to. */
  readonly cty: string;
}

/** A JWE taken apart, not yet opened. */
export interface Jwe {
  readonly kid: string;
  /** Undefined in another program's JWE without one. */
  readonly cty: string | undefined;
  /** The first part as it stands: the additional authenticated data. */
  readonly protectedHeader: string;
  readonly iv: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/**
 * The compact JWE of `text` under a 32-byte key. The protected header's members are, in this order,
 * `alg`, `enc`, `kid` and `cty`. `iv` is 12 bytes that were never used with this key before: a
 * repeated one reveals both texts and the authentication key.
 */
export function encryptJwe(
  text: string,
  key: KeyObject,
  { kid, cty }: JweHeader,
  iv: Buffer,
): string {
  if (iv.byteLength !== NONCE_BYTES) throw new RangeError(`iv must be ${NONCE_BYTES} bytes`);
  const header = `{"alg":"dir","enc":"A256GCM","kid":${JSON.stringify(kid)},"cty":${JSON.stringify(cty)}}`;
  const protectedHeader = Buffer.from(header).toString("base64url");
  const cipher = createCipheriv(CIPHER, key, iv, TAG);
  cipher.setAAD(Buffer.from(protectedHeader, "latin1"));
  // Bytes in and bytes out, measured: 6.4 µs of CPU for 1 KB, against 7.8 µs with strings on both
  // sides.
  const ciphertext = cipher.update(Buffer.from(text.toWellFormed()));
  cipher.final(); // GCM returns no bytes here, but makes the tag
  const tag = cipher.getAuthTag();
  const body = `${iv.toString("base64url")}.${ciphertext.toString("base64url")}.${tag.toString("base64url")}`;
  return `${protectedHeader}..${body}`;
}

/**
 * Takes a compact JWE apart. Throws `AuditDecryptError` (`AUDIT_DECRYPT_FAILED`) unless it has five
 * parts in canonical base64url, no encrypted key, `alg` dir and `enc` A256GCM, a `kid`, neither
 * `crit` nor `zip`, a 96-bit iv and a 128-bit tag. Unknown header parameters are ignored (RFC 7516
 * section 4).
 */
export function parseJwe(token: string): Jwe {
  const [
    protectedHeader = "",
    encryptedKey,
    ivText = "",
    ciphertextText = "",
    tagText = "",
    ...more
  ] = token.split(".", 6); // no more: a string of dots alone would give as many parts
  if (more.length > 0 || encryptedKey !== "" || tagText === "")
    throw refusal("is not a compact JWE with a direct key");
  const iv = decodeBase64url(ivText);
  const ciphertext = decodeBase64url(ciphertextText);
  const tag = decodeBase64url(tagText);
  if (
    iv?.byteLength !== NONCE_BYTES ||
    tag?.byteLength !== TAG.authTagLength ||
    ciphertext === undefined
  ) {
    throw refusal("is not base64url of an iv, a ciphertext and a tag");
  }
  return { ...parseHeader(protectedHeader), protectedHeader, iv, ciphertext, tag };
}

/**
 * The text of a JWE. Throws `AuditDecryptError` (`AUDIT_DECRYPT_FAILED`) for another key and for
 * altered bytes, which look alike; the message holds the id of the master key.
 */
export function openJwe(jwe: Jwe, key: KeyObject): string {
  const decipher = createDecipheriv(CIPHER, key, jwe.iv, TAG);
  decipher.setAAD(Buffer.from(jwe.protectedHeader, "latin1"));
  decipher.setAuthTag(jwe.tag);
  const plaintext = decipher.update(jwe.ciphertext);
  try {
    decipher.final(); // GCM has nothing left to give: this only checks the tag, before which no byte is used
  } catch (cause) {
    const keyId = parseKid(jwe.kid)?.keyId;
    const which = keyId === undefined ? "" : ` than the "${keyId}" known here`;
    throw refusal(`was altered, or made under another key${which}`, { cause });
  }
  if (!isUtf8(plaintext)) throw refusal("does not hold text");
  return plaintext.toString("utf8");
}

function parseHeader(encoded: string): { readonly kid: string; readonly cty: string | undefined } {
  const header = parseJson(decodeBase64url(encoded)?.toString("utf8") ?? "");
  if (header === undefined) throw refusal("has a header that is not JSON");
  if (typeof header !== "object" || header === null || "crit" in header || "zip" in header) {
    throw refusal("has a header that is not supported");
  }
  if (!("alg" in header && header.alg === "dir" && "enc" in header && header.enc === "A256GCM")) {
    throw refusal("is not made with dir and A256GCM");
  }
  if (!("kid" in header && typeof header.kid === "string")) throw refusal("names no key");
  const cty = "cty" in header ? header.cty : undefined;
  if (cty !== undefined && typeof cty !== "string")
    throw refusal("has a content type that is not text");
  return { kid: header.kid, cty };
}

function refusal(what: string, options?: ErrorOptions): AuditDecryptError {
  return new AuditDecryptError("AUDIT_DECRYPT_FAILED", `The encrypted content ${what}`, options);
}
