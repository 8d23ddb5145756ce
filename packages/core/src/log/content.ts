// An entry's contents, opened or compared with alleged contents.
import { timingSafeEqual } from "node:crypto";
import type { JsonValue } from "../format/canonical.ts";
import {
  type Content,
  type ContentField,
  contentOf,
  contentOfAny,
  hashContent,
  valueOf,
} from "../format/content.ts";
import type { EncryptionManager } from "../keys/encryption.ts";
import { isFernetToken } from "../keys/fernet.ts";
import { parseJwe } from "../keys/jwe.ts";
import { parseKid } from "../keys/kid.ts";
import { diagnosticsValue, readDiagnostics } from "../format/diagnostics.ts";
import type { AuditEntry, Diagnostics } from "../format/entry.ts";
import { AuditDecryptError, AuditError, AuditInputError } from "../errors.ts";
import { anything, optionsOf } from "../options.ts";

/** The alleged contents. */
export interface ContentCheck {
  readonly input?: unknown;
  readonly output?: unknown;
  readonly diagnostics?: Diagnostics | undefined;
}

const checkClaim: (given: unknown) => void = optionsOf<ContentCheck>(
  "verifyContent()",
  { input: anything, output: anything, diagnostics: anything },
  { what: "claim", Failure: AuditInputError },
);

type Keys = EncryptionManager | undefined;

/**
 * The contents of an entry, decrypted and parsed; absent where only the hash was kept, or there was
 * none.
 */
export interface EntryContent {
  readonly input?: JsonValue;
  readonly output?: JsonValue;
  /** The provider's own words about the call. */
  readonly diagnostics?: Diagnostics;
}

/** As `EntryContent`; also absent where a content is in `failures`. */
export interface OpenedContent extends EntryContent {
  /** Why a content cannot be opened. Codes: as `decryptContent()`, and `AUDIT_READ_FAILED`. */
  readonly failures: { readonly [F in ContentField]?: AuditError };
}

const FIELDS: readonly ContentField[] = ["input", "output", "diagnostics"];

/** Opens each of an entry's contents on its own: the failure of one does not hide another. */
export function openContent(entry: AuditEntry, keys: Keys): OpenedContent {
  const opened: { [F in ContentField]?: JsonValue } = {};
  const failures: { [F in ContentField]?: AuditError } = {};
  for (const field of FIELDS) {
    try {
      const value = openField(entry, field, keys);
      if (value !== undefined) opened[field] = value;
    } catch (error) {
      if (!AuditError.isInstance(error)) throw error;
      failures[field] = error;
    }
  }
  const { diagnostics, ...contents } = opened;
  return {
    ...contents,
    ...(diagnostics !== undefined && { diagnostics: readDiagnostics(diagnostics) }),
    failures,
  };
}

/** As `openContent`; throws the first failure. */
export function requireContent(entry: AuditEntry, keys: Keys): EntryContent {
  const { failures, ...opened } = openContent(entry, keys);
  const [failure] = Object.values(failures);
  if (failure) throw failure;
  return opened;
}

function openField(entry: AuditEntry, field: ContentField, keys: Keys): JsonValue | undefined {
  const { stored, hash, format } = partsOf(entry, field);
  if (stored === null) return undefined;
  // The hash tells plain text from a ciphertext, because a prompt may look like a ciphertext.
  const isPlain = hash === "" || equalText(hash, hashContent(stored));
  const content = isPlain ? { text: stored, format } : decryptField(stored, entry, field, keys);
  const value = valueOf(content);
  if (value !== undefined) return value;
  // No cause: the parser's message quotes the content.
  throw new AuditError(
    "AUDIT_READ_FAILED",
    `${field} of ${entry.id} is marked as JSON and is not valid JSON`,
  );
}

interface ContentParts {
  readonly stored: string | null;
  readonly hash: string;
  readonly format: "json" | undefined;
}

function partsOf(entry: AuditEntry, field: ContentField): ContentParts {
  if (field === "input")
    return { stored: entry.inputContent, hash: entry.inputHash, format: entry.inputFormat };
  if (field === "output")
    return { stored: entry.outputContent, hash: entry.outputHash, format: entry.outputFormat };
  const { diagnosticsContent: stored = null, diagnosticsHash: hash = "" } = entry;
  return { stored, hash, format: "json" };
}

/**
 * The first characters of every JWE of ours: base64url of `{"alg":"dir","enc":"A256GCM","kid":"`.
 */
const JWE_PREFIX = Buffer.from('{"alg":"dir","enc":"A256GCM","kid":"').toString("base64url");

function isJwe(stored: string): boolean {
  return stored.startsWith(JWE_PREFIX);
}

/**
 * The content that a ciphertext holds. Its key and its subject must be those that the entry names,
 * and its hash the entry's. Attacker: somebody who may write to the log, or holds the key of one
 * writer, must not be able to put words into another entry.
 */
function decryptField(stored: string, entry: AuditEntry, field: ContentField, keys: Keys): Content {
  const jwe = isJwe(stored) ? parseJwe(stored) : undefined;
  if (!jwe && !isFernetToken(stored)) throw altered(entry, field);
  if (jwe && entry.kid !== undefined && jwe.kid !== entry.kid) throw altered(entry, field);
  // Otherwise `exportSubject` could give one person another person's words.
  if (jwe && parseKid(jwe.kid)?.subjectId !== entry.subject) throw altered(entry, field);
  if (!keys) {
    throw new AuditDecryptError(
      "AUDIT_KEY_MISSING",
      `${field} of ${entry.id} is encrypted: give the logger encryption`,
    );
  }
  const content = keys.openContent(stored, { id: entry.id, field });
  if (!isHashOf(content.text, entry, field, keys)) throw altered(entry, field);
  return content;
}

function altered(entry: AuditEntry, field: ContentField): AuditDecryptError {
  return new AuditDecryptError(
    "AUDIT_DECRYPT_FAILED",
    `${field} of ${entry.id} does not match its hash: it was altered, or belongs to another entry`,
  );
}

/** Whether the entry's hashes are those of the claimed contents, for each one given. */
export function matchContent(
  entry: AuditEntry,
  claimed: ContentCheck,
  keys: Keys,
): { input?: boolean; output?: boolean; diagnostics?: boolean } {
  checkClaim(claimed);
  const { input, output, diagnostics } = claimed;
  if (input === undefined && output === undefined && diagnostics === undefined) {
    throw new AuditInputError("verifyContent() needs an input, an output or diagnostics");
  }
  return {
    ...(input !== undefined && {
      input: isHashOf(contentOfAny(input).text, entry, "input", keys),
    }),
    ...(output !== undefined && {
      output: isHashOf(contentOfAny(output).text, entry, "output", keys),
    }),
    ...(diagnostics !== undefined && {
      diagnostics: isHashOf(
        contentOf(diagnosticsValue(diagnostics)).text,
        entry,
        "diagnostics",
        keys,
      ),
    }),
  };
}

function isHashOf(text: string, entry: AuditEntry, field: ContentField, keys: Keys): boolean {
  const { stored, hash } = partsOf(entry, field);
  if (!hash.startsWith("hmac-sha256:")) return equalText(hash, hashContent(text));
  const kid = entry.kid ?? (stored !== null && isJwe(stored) ? parseJwe(stored).kid : undefined);
  if (!keys || kid === undefined) {
    throw new AuditDecryptError(
      "AUDIT_KEY_MISSING",
      `the ${field} hash of ${entry.id} is keyed: its key is needed`,
    );
  }
  return keys.matches(text, hash, kid);
}

function equalText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
