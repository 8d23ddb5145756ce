// C2SP signed notes and checkpoints as pure functions: https://c2sp.org/signed-note,
// https://c2sp.org/tlog-checkpoint.
import { RecentMap } from "../bounded-map.ts";
import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { AuditConfigError } from "../errors.ts";
import { HASH_BYTES } from "./merkle.ts";

/** Signature type identifier of Ed25519 in C2SP signed-note. */
const ED25519 = 0x01;
const KEY_HASH_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
/** A note with more signature lines is refused. C2SP demands a limit, and at least 16. */
const MAX_SIGNATURES = 64;

/** The state of a tree, as a checkpoint names it. */
export interface Checkpoint {
  /** The tree: `<key name>/<stream>/<file stem>`. */
  readonly origin: string;
  /** Leaves. */
  readonly size: number;
  /** The root hash in base64. */
  readonly root: string;
}

/** A signature line of a note. It proves nothing before it is verified. */
export interface NoteSignature {
  readonly name: string;
  /** 8 hex digits. */
  readonly keyHash: string;
  readonly signature: Buffer;
}

/** A note taken apart. Nothing in it is verified yet. */
export interface Note {
  /** The signed text, with its final line feed. */
  readonly text: string;
  /** Empty for an unsigned note. */
  readonly signatures: readonly NoteSignature[];
}

/** The public half of a signing key. */
export interface VerificationKey {
  readonly name: string;
  /** 8 hex digits. */
  readonly keyHash: string;
  readonly publicKey: KeyObject;
}

/**
 * Whether a string can name a key: not empty, no white space, no `+`, no control characters. C2SP
 * signed-note.
 */
export function isKeyName(name: string): boolean {
  return name.isWellFormed() && /^[^+\p{White_Space}\p{Cc}\uFEFF]+$/u.test(name);
}

/**
 * The key's 4-byte id as 8 hex digits: SHA-256(name ‖ LF ‖ 01 ‖ public key), cut. C2SP signed-note.
 */
export function keyHashOf(name: string, rawPublicKey: Uint8Array): string {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), rawPublicKey]);
  return hash("sha256", bytes).slice(0, 2 * KEY_HASH_BYTES);
}

/**
 * `<name>+<key hash>+<base64(01 ‖ public key)>`: the form for auditors. `rawPublicKey` has 32
 * bytes.
 */
export function formatVkey(name: string, rawPublicKey: Uint8Array): string {
  const key = Buffer.concat([Buffer.of(ED25519), rawPublicKey]).toString("base64");
  return `${name}+${keyHashOf(name, rawPublicKey)}+${key}`;
}

/**
 * Reads a `vkey`.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when it is malformed, holds no Ed25519 key, or has
 * another key's hash.
 */
export function parseVkey(vkey: string): VerificationKey {
  const known = parsed.get(vkey);
  if (known) return known;
  const key = readVkey(vkey);
  parsed.set(vkey, key);
  return key;
}

/** Every segment of a log names the same few keys, and a key object takes 0.1 ms to make. */
const parsed = new RecentMap<string, VerificationKey>(64);

function readVkey(vkey: string): VerificationKey {
  const parts = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey);
  const [, name = "", keyHash = "", encoded = ""] = parts ?? [];
  const key = decodeBase64(encoded);
  if (
    parts === null ||
    !isKeyName(name) ||
    key?.byteLength !== 1 + PUBLIC_KEY_BYTES ||
    key[0] !== ED25519
  ) {
    throw keyInvalid(
      "A verification key must look like <name>+<8 hex digits>+<base64 of an Ed25519 public key>",
    );
  }
  const raw = key.subarray(1);
  if (keyHashOf(name, raw) !== keyHash)
    throw keyInvalid(`The verification key of ${name} does not have its own hash`);
  return { name, keyHash, publicKey: publicKeyOf(raw) };
}

function publicKeyOf(raw: Buffer): KeyObject {
  return createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") },
    format: "jwk",
  });
}

function keyInvalid(message: string): AuditConfigError {
  return new AuditConfigError(message, { code: "AUDIT_KEY_INVALID" });
}

/** The text that is signed: origin, size and root, a line each. C2SP tlog-checkpoint. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root}\n`;
}

/**
 * Reads a checkpoint's text; undefined unless it is exactly what `formatCheckpoint` writes (no
 * extension lines).
 */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [, origin, digits, root] =
    /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/=]+)\n$/.exec(text) ?? [];
  if (origin === undefined || digits === undefined || root === undefined) return undefined;
  const size = Number(digits);
  if (!Number.isSafeInteger(size) || decodeBase64(root)?.byteLength !== HASH_BYTES)
    return undefined;
  return { origin, size, root };
}

/** A signature line: em dash, name, base64 of key hash and signature. C2SP signed-note. */
export function formatSignatureLine({ name, keyHash, signature }: NoteSignature): string {
  return `— ${name} ${Buffer.concat([Buffer.from(keyHash, "hex"), signature]).toString("base64")}\n`;
}

/**
 * A note: the text, a blank line, the signature lines (none: an unsigned note ends with the blank
 * line).
 */
export function formatNote(text: string, signatureLines: readonly string[]): string {
  return `${text}\n${signatureLines.join("")}`;
}

/**
 * Takes a note apart; undefined for anything else. An unsigned note is accepted with or without its
 * blank line. Signature lines of any algorithm are accepted (a witness may have added its own): the
 * keys given decide which of them count.
 */
export function parseNote(note: string): Note | undefined {
  if (!note.isWellFormed() || !note.endsWith("\n") || hasControls(note)) return undefined;
  const blank = note.lastIndexOf("\n\n"); // the last empty line separates text and signatures
  if (blank <= 0) return blank === 0 ? undefined : { text: note, signatures: [] };
  const lines = note
    .slice(blank + 2)
    .split("\n")
    .slice(0, -1);
  if (lines.length > MAX_SIGNATURES) return undefined;
  const signatures = lines.map(parseSignatureLine).filter((line) => line !== undefined);
  return signatures.length === lines.length
    ? { text: note.slice(0, blank + 1), signatures }
    : undefined;
}

/** Control characters other than the line feed, which no note has. */
function hasControls(note: string): boolean {
  return /\p{Cc}/u.test(note.replaceAll("\n", ""));
}

function parseSignatureLine(line: string): NoteSignature | undefined {
  const [, name = "", encoded = ""] = /^— ([^ ]+) ([A-Za-z0-9+/=]+)$/.exec(line) ?? [];
  const bytes = decodeBase64(encoded);
  if (!isKeyName(name) || bytes === undefined || bytes.byteLength <= KEY_HASH_BYTES)
    return undefined;
  return {
    name,
    keyHash: bytes.toString("hex", 0, KEY_HASH_BYTES),
    signature: bytes.subarray(KEY_HASH_BYTES),
  };
}

/**
 * Decodes standard base64 (RFC 4648, section 4); undefined for any other spelling of the same
 * bytes. Two spellings would let a byte of a log change without a finding.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
