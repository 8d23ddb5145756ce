// Master keys, and the keys derived from them (docs/format.md, "Encrypted content").
import { createSecretKey, hkdfSync, KeyObject, randomBytes } from "node:crypto";
import { AuditConfigError } from "../errors.ts";
import { decodeBase64url, encodePaddedBase64url } from "./base64url.ts";

/** Bytes of a master key, of a subject's secret and of every derived key. */
export const KEY_BYTES = 32;

/**
 * The secret of one data subject. Without it, content encrypted for that subject cannot be opened.
 */
export interface SubjectKey {
  /** Random; the log has it instead of the subject's name. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: KeyObject;
}

/**
 * A new master key: 32 random bytes as base64url with padding, 44 characters. Python's Fernet takes
 * the same text as a key.
 */
export function generateKey(): string {
  return encodePaddedBase64url(randomBytes(KEY_BYTES));
}

/**
 * The master key that `source` holds: 32 bytes as base64url, padded or not, or a KeyObject of them.
 * `name` is its name in messages. Throws `AuditConfigError` (`AUDIT_KEY_INVALID`), which never
 * shows the text.
 */
export function decodeKey(source: string | KeyObject, name: string): KeyObject {
  if (typeof source !== "string") {
    if (source instanceof KeyObject && source.symmetricKeySize === KEY_BYTES) return source;
    throw invalidKey(`${name} is not a secret KeyObject of ${KEY_BYTES} bytes`);
  }
  const bytes = decodeBase64url(source.endsWith("=") ? source.slice(0, -1) : source);
  if (bytes?.byteLength === KEY_BYTES) return secretKey(bytes);
  bytes?.fill(0);
  throw invalidKey(
    `${name} is not a key: expected ${KEY_BYTES} bytes as base64url (43 characters, or 44 with "="), as generateKey() makes them`,
  );
}

/** The result of `generateKey()`. The only place where a master key becomes text again. */
export function encodeKey(key: KeyObject): string {
  return encodePaddedBase64url(key.export());
}

/** A KeyObject of these bytes, which are wiped. */
export function secretKey(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/**
 * The key id of a master key without a given id: `k` and 60 bits of HKDF-SHA256 with info
 * `ai-audit/1 kid`. Enough to distinguish keys; reveals nothing about the key.
 */
export function fingerprint(master: KeyObject): string {
  return `k${Buffer.from(hkdfSync("sha256", master, NO_SALT, "ai-audit/1 kid", KEY_BYTES))
    .toString("base64url")
    .slice(0, 10)}`;
}

/** The purpose of a derived key. */
export type Purpose = "enc" | "dig" | "name";

/**
 * HKDF-SHA256 (RFC 5869) of the master key, followed by the subject's secret where there is one; no
 * salt, since the input is uniformly random already (section 3.1); info `ai-audit/1 <purpose>
 * <context>`; 32 bytes.
 */
export function deriveKey(
  master: KeyObject,
  purpose: Purpose,
  context: string,
  subject?: SubjectKey,
): KeyObject {
  const info = `ai-audit/1 ${purpose} ${context}`;
  if (subject === undefined)
    return secretKey(Buffer.from(hkdfSync("sha256", master, NO_SALT, info, KEY_BYTES)));
  const parts = [master.export(), subject.secret.export()];
  const material = Buffer.concat(parts);
  try {
    return secretKey(Buffer.from(hkdfSync("sha256", material, NO_SALT, info, KEY_BYTES)));
  } finally {
    for (const bytes of [material, ...parts]) bytes.fill(0);
  }
}

const NO_SALT = new Uint8Array(0);

function invalidKey(message: string): AuditConfigError {
  return new AuditConfigError(message, { code: "AUDIT_KEY_INVALID" });
}
