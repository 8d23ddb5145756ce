// An entry's contents, opened or compared with what somebody claims they were.
import { timingSafeEqual } from "node:crypto";
import type { JsonValue } from "./canonical.ts";
import { type Content, type ContentField, contentOfAny, hashContent, valueOf } from "./content.ts";
import type { EncryptionManager } from "./crypto/encryption.ts";
import { isFernetToken } from "./crypto/fernet.ts";
import { parseJwe } from "./crypto/jwe.ts";
import type { AuditEntry } from "./entry.ts";
import { AuditDecryptError, AuditError, AuditInputError } from "./errors.ts";
import { timeOfId } from "./id.ts";
import { refuseUnknown } from "./known-names.ts";

/** What the contents are said to have been. */
export interface Claim {
  readonly input?: unknown;
  readonly output?: unknown;
}

const CONTENTS: Readonly<Record<keyof Claim, true>> = { input: true, output: true };

type Keys = EncryptionManager | undefined;

/** Both contents, decrypted and parsed; absent where only the hash was kept. */
export function openContent(entry: AuditEntry, keys: Keys): { input?: JsonValue; output?: JsonValue } {
  const input = openField(entry, "input", keys);
  const output = openField(entry, "output", keys);
  return { ...(input !== undefined && { input }), ...(output !== undefined && { output }) };
}

function openField(entry: AuditEntry, field: ContentField, keys: Keys): JsonValue | undefined {
  const stored = field === "input" ? entry.inputContent : entry.outputContent;
  if (stored === null) return undefined;
  const format = field === "input" ? entry.inputFormat : entry.outputFormat;
  const content = isSealed(stored, entry.id) ? unseal(stored, entry, field, keys) : { text: stored, format };
  const value = valueOf(content);
  if (value !== undefined) return value;
  // No cause: the parser's message quotes the content.
  throw new AuditError("AUDIT_READ_FAILED", `${field} of ${entry.id} is said to be JSON and is not`);
}

/** How every JWE of ours begins: base64url of `{"alg":"dir","enc":"A256GCM","kid":"`. */
const JWE_PREFIX = Buffer.from('{"alg":"dir","enc":"A256GCM","kid":"').toString("base64url");

function isJwe(stored: string): boolean {
  return stored.startsWith(JWE_PREFIX);
}

/** Only the original wrote Fernet, and its ids are not UUIDv7: a prompt of ours that looks like it is text. */
function isSealed(stored: string, entryId: string): boolean {
  return isJwe(stored) || (timeOfId(entryId) === undefined && isFernetToken(stored));
}

function unseal(stored: string, entry: AuditEntry, field: ContentField, keys: Keys): Content {
  if (keys) return keys.openContent(stored, { id: entry.id, field });
  throw new AuditDecryptError("AUDIT_KEY_MISSING", `${field} of ${entry.id} is encrypted: give the logger encryption`);
}

/** Whether the entry's hashes are those of the claimed contents, for each one given. */
export function matchContent(entry: AuditEntry, claimed: Claim, keys: Keys): { input?: boolean; output?: boolean } {
  refuseUnknown("verifyContent(): claim", claimed, CONTENTS, AuditInputError);
  if (claimed.input === undefined && claimed.output === undefined) {
    throw new AuditInputError("verifyContent() takes the input, the output, or both: nothing was claimed");
  }
  return {
    ...(claimed.input !== undefined && { input: matches(entry, "input", claimed.input, keys) }),
    ...(claimed.output !== undefined && { output: matches(entry, "output", claimed.output, keys) }),
  };
}

function matches(entry: AuditEntry, field: ContentField, claimed: unknown, keys: Keys): boolean {
  const stored = field === "input" ? entry.inputHash : entry.outputHash;
  const { text } = contentOfAny(claimed);
  if (!stored.startsWith("hmac-sha256:")) return equalText(stored, hashContent(text));
  const content = field === "input" ? entry.inputContent : entry.outputContent;
  const kid = entry.kid ?? (content !== null && isJwe(content) ? parseJwe(content).kid : undefined);
  if (!keys || kid === undefined) {
    throw new AuditDecryptError("AUDIT_KEY_MISSING", `the ${field} hash of ${entry.id} is keyed: its key is needed`);
  }
  return keys.matches(text, stored, kid);
}

function equalText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
