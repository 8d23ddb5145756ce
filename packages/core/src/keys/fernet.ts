// Fernet tokens, which the Python original writes: the Fernet specification, version 0x80.
// https://github.com/fernet/spec/blob/master/Spec.md
import { isUtf8 } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { AuditDecryptError } from "../errors.ts";
import { decodePaddedBase64url, encodePaddedBase64url } from "./base64url.ts";

const VERSION = 0x80;
const CIPHER = "aes-128-cbc";
const BLOCK_BYTES = 16;
/** Version, 64-bit time, IV. */
const HEAD_BYTES = 1 + 8 + BLOCK_BYTES;
const MAC_BYTES = 32;
/**
 * A token with a lifetime may come from a clock that is this far ahead: the specification's figure.
 */
const MAX_CLOCK_SKEW_SECONDS = 60;

/**
 * The random and timed parts of a new token; given to reproduce published vectors.
 */
export interface FernetOptions {
  /** @default the present */
  readonly now?: Date;
  /** 16 bytes, never used twice with one key. @default random */
  readonly iv?: Uint8Array;
}

/** The largest age of a token. */
export interface FernetAge {
  /** Seconds. @default no limit, as for a log that is kept for years */
  readonly lifetimeSeconds?: number;
  /** @default the present */
  readonly now?: Date;
}

/**
 * The Fernet token of `text`: padded base64url. The key's first half signs, its second half
 * encrypts.
 */
export function sealFernet(text: string, key: KeyObject, options: FernetOptions = {}): string {
  const { now = new Date(), iv = randomBytes(BLOCK_BYTES) } = options;
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(VERSION);
  head.writeBigUInt64BE(BigInt(Math.floor(now.getTime() / 1000)), 1);
  head.set(iv, HEAD_BYTES - BLOCK_BYTES);
  const [signing, encryption] = halves(key);
  const cipher = createCipheriv(CIPHER, encryption, iv);
  const signed = Buffer.concat([head, cipher.update(text.toWellFormed(), "utf8"), cipher.final()]);
  return encodePaddedBase64url(Buffer.concat([signed, mac(signing, signed)]));
}

/**
 * The text of a Fernet token (or of the original's base64url of one) under any of the keys. Throws
 * `AuditDecryptError` (`AUDIT_DECRYPT_FAILED`) for anything else, and for a token that is too old
 * or from the future where a lifetime is given.
 */
export function openFernet(token: string, keys: Iterable<KeyObject>, age: FernetAge = {}): string {
  const bytes = parseFernet(token);
  if (bytes === undefined) throw refusal("is neither a JWE nor a Fernet token");
  const signed = bytes.subarray(0, -MAC_BYTES);
  const tag = bytes.subarray(-MAC_BYTES);
  for (const key of keys) {
    const [signing, encryption] = halves(key);
    if (!timingSafeEqual(mac(signing, signed), tag)) continue;
    checkAge(signed, age);
    return decrypt(signed, encryption);
  }
  throw refusal("was altered, or made under a key that is not known here");
}

/**
 * True for a string in the form of a Fernet token, or of the original's base64url of one. It is no
 * proof.
 */
export function isFernetToken(text: string): boolean {
  return parseFernet(text) !== undefined;
}

/** The original's second layer: the token's own text as base64url once more. */
export function wrapFernet(token: string): string {
  return encodePaddedBase64url(Buffer.from(token, "latin1"));
}

function parseFernet(text: string): Buffer | undefined {
  const outer = decodePaddedBase64url(text);
  // A token's first byte is 0x80, the first of its base64url is a letter: the two layers cannot be
  // confused.
  const bytes =
    outer?.[0] === VERSION ? outer : decodePaddedBase64url(outer?.toString("latin1") ?? "");
  const shortest = HEAD_BYTES + BLOCK_BYTES + MAC_BYTES;
  if (bytes === undefined || bytes.byteLength < shortest || bytes[0] !== VERSION) return undefined;
  return (bytes.byteLength - shortest) % BLOCK_BYTES === 0 ? bytes : undefined;
}

function checkAge(signed: Buffer, { lifetimeSeconds, now = new Date() }: FernetAge): void {
  if (lifetimeSeconds === undefined) return;
  const created = Number(signed.readBigUInt64BE(1));
  const seconds = now.getTime() / 1000;
  if (created + lifetimeSeconds < seconds) throw refusal("is older than allowed");
  if (created > seconds + MAX_CLOCK_SKEW_SECONDS) throw refusal("comes from the future");
}

function decrypt(signed: Buffer, encryption: KeyObject): string {
  const decipher = createDecipheriv(
    CIPHER,
    encryption,
    signed.subarray(HEAD_BYTES - BLOCK_BYTES, HEAD_BYTES),
  );
  let plaintext: Buffer;
  try {
    plaintext = Buffer.concat([decipher.update(signed.subarray(HEAD_BYTES)), decipher.final()]);
  } catch (cause) {
    throw refusal("is padded wrongly", { cause });
  }
  if (!isUtf8(plaintext)) throw refusal("does not hold text");
  return plaintext.toString("utf8");
}

function halves(key: KeyObject): readonly [signing: KeyObject, encryption: KeyObject] {
  const bytes = key.export();
  try {
    return [createSecretKey(bytes.subarray(0, 16)), createSecretKey(bytes.subarray(16))];
  } finally {
    bytes.fill(0);
  }
}

function mac(signing: KeyObject, signed: Buffer): Buffer {
  return createHmac("sha256", signing).update(signed).digest();
}

function refusal(what: string, options?: ErrorOptions): AuditDecryptError {
  return new AuditDecryptError("AUDIT_DECRYPT_FAILED", `The encrypted content ${what}`, options);
}
