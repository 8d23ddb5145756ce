// EncryptionManager: the keys' uses by callers and the logger. Over 300 lines, a third of them
// docstrings of the public class.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Content, ContentField } from "../format/content.ts";
import { AuditConfigError, AuditDecryptError } from "../errors.ts";
import { newStream } from "../format/id.ts";
import { anything, optionsOf } from "../options.ts";
import { type DerivedKeys, DerivedKeyCache } from "./derived-keys.ts";
import { openFernet, sealFernet, wrapFernet } from "./fernet.ts";
import { openJwe, parseJwe, encryptJwe } from "./jwe.ts";
import { type KeyProvider, keysFromEnv } from "./key-provider.ts";
import { type Keys, MasterKeys } from "./key-ring.ts";
import type { KeyStore } from "./key-store.ts";
import { generateKey, type SubjectKey } from "./keys.ts";
import { formatKid, type Kid, MESSAGES_PER_KEY, parseKid, streamAfter } from "./kid.ts";
import { nextNonce } from "./nonce.ts";
import { Subjects } from "./subjects.ts";

/** The only place where a ciphertext opens. */
export interface ContentBinding {
  /** The entry's id. */
  readonly id: string;
  readonly field: ContentField;
}

/** A derived content key as JSON Web Key (RFC 7517, RFC 7518 section 6.4). */
export interface ContentJwk {
  readonly kty: "oct";
  readonly alg: "A256GCM";
  readonly use: "enc";
  readonly kid: string;
  /** 32 bytes, base64url. */
  readonly k: string;
}

/** Further choices of an `EncryptionManager`. */
export interface EncryptionOptions {
  /** The store of the data subjects' secrets. @default none: entries cannot name a subject */
  readonly subjects?: KeyStore;
  /** Messages encrypted before the next key is derived; may be lowered. @default 2^30 */
  readonly messagesPerKey?: number;
}

const checkOptions: (given: unknown) => void = optionsOf<EncryptionOptions>("EncryptionManager", {
  subjects: anything,
  messagesPerKey: anything,
});

const DIGEST_PREFIX = "hmac-sha256:";
const TEXT = "text/plain";
const JSON_TEXT = "application/json";

/**
 * Encrypts, decrypts and digests content under master keys, from which a key of its own is derived
 * for each writer, each purpose and each data subject (docs/format.md, "Encrypted content").
 *
 * Key material stays in KeyObjects: printing or serialising a manager shows no key.
 */
export class EncryptionManager {
  /** The id of the key that writes. */
  readonly keyId: string;
  readonly #masters: MasterKeys;
  readonly #subjects: Subjects;
  readonly #derived = new DerivedKeyCache();
  readonly #stream: string = newStream();
  readonly #messagesPerKey: number;
  #messages = 0;
  /** One writer's entries without a subject share their `kid`. */
  #latest: { readonly stream: string; readonly kid: string } | undefined;
  #unread: boolean;
  #warned = false;

  /**
   * One key, or a ring of keys of which the current one writes and all read.
   *
   * Without a key, one is generated: keep the result of `getKey()`, or the encrypted content is
   * lost with the process. Throws `AuditConfigError` (`AUDIT_KEY_INVALID`, `AUDIT_CONFIG_INVALID`).
   */
  constructor(key?: Keys, options: EncryptionOptions = {}) {
    checkOptions(options);
    const { messagesPerKey = MESSAGES_PER_KEY, subjects } = options;
    if (!(messagesPerKey >= 1 && messagesPerKey <= MESSAGES_PER_KEY)) {
      throw new AuditConfigError("messagesPerKey must be between 1 and 2^30");
    }
    this.#messagesPerKey = messagesPerKey;
    this.#unread = key === undefined;
    this.#masters = new MasterKeys(key === undefined ? generateKey() : key); // null is an error: only undefined asks for a generated key
    this.#subjects = new Subjects(subjects, this.#masters.all());
    this.keyId = this.#masters.currentId;
  }

  /**
   * A manager of the keys in an environment variable, `AUDIT_ENCRYPTION_KEY` by default: one key,
   * or a ring as JSON.
   *
   * Throws `AuditConfigError` naming the variable: `AUDIT_CONFIG_INVALID` when it is missing or
   * empty, `AUDIT_KEY_INVALID` when it holds something else.
   */
  static fromEnv(
    name?: string,
    options?: EncryptionOptions,
    env?: NodeJS.ProcessEnv,
  ): EncryptionManager {
    return new EncryptionManager(keysFromEnv(name, env), options);
  }

  /**
   * A manager of the keys that `provider` gives, which is called once. Rejects with the provider's
   * error and those of the constructor; also when the provider gives no keys
   * (`AUDIT_CONFIG_INVALID`).
   */
  static async fromProvider(
    provider: KeyProvider,
    options?: EncryptionOptions,
  ): Promise<EncryptionManager> {
    const keys: Keys | undefined = await provider.load();
    if (keys === undefined) throw new AuditConfigError("The key provider gave no keys");
    return new EncryptionManager(keys, options);
  }

  /** The current key, as `generateKey()` makes them. Keep it apart from the log. */
  getKey(): string {
    this.#unread = false;
    return this.#masters.export();
  }

  /**
   * True while the only copy of a generated key is in this process, because `getKey()` was not
   * called yet.
   */
  get unread(): boolean {
    return this.#unread;
  }

  /**
   * For loggers of a durable log: warns once when the only copy of a generated key is in this
   * process.
   */
  warnOfUnreadKey(): void {
    if (!this.#unread || this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      "Entries are being written under a generated key that nobody has read. Call encryption.getKey() and keep the " +
        "key: without it their content and hashes cannot be opened or checked after this process ends.",
      { type: "AuditWarning", code: "AUDIT_KEY_UNREAD" },
    );
  }

  /** Encrypts a string by itself, bound to no entry: a compact JWE. */
  encrypt(text: string): string {
    return this.#encrypt(text, this.kidFor(this.#stream), TEXT, undefined);
  }

  /**
   * The text of a JWE or of a Fernet token under any known key.
   *
   * Throws `AuditDecryptError`: `AUDIT_KEY_MISSING` with the id of the key that is needed,
   * `AUDIT_SUBJECT_ERASED`, `AUDIT_DECRYPT_FAILED` for a string that is not a ciphertext or was
   * altered.
   */
  decrypt(token: string): string {
    return this.open(token);
  }

  /**
   * Encrypts a string as the Python original does: the base64url of a Fernet token under the
   * current key, which is a Fernet key as well. For logs that are handed to it; bound to no entry.
   */
  encryptFernet(text: string): string {
    return wrapFernet(sealFernet(text, this.#masters.current));
  }

  /**
   * For a logger: the `kid` for a writer's next content, `<key id>.<stream>[.<subject id>]`. Call
   * it for each entry: from 2^30 messages of this manager on, the stream's name is `<stream>~1`,
   * with another key. Throws `TypeError` for an invalid stream name.
   */
  kidFor(stream: string, subject?: SubjectKey): string {
    const named = streamAfter(stream, this.#messages, this.#messagesPerKey);
    if (subject) return formatKid(this.keyId, named, subject.id);
    if (this.#latest?.stream !== named)
      this.#latest = { stream: named, kid: formatKid(this.keyId, named) };
    return this.#latest.kid;
  }

  /**
   * For a logger: the content of one field of one entry as a compact JWE that opens only there.
   * `kid` is from `kidFor` with the same subject. Throws `TypeError` when it is not.
   */
  encryptContent(
    content: Content,
    binding: ContentBinding & { readonly kid: string },
    subject?: SubjectKey,
  ): string {
    const type = contentType(content.format === "json" ? JSON_TEXT : TEXT, binding);
    return this.#encrypt(content.text, binding.kid, type, subject);
  }

  /**
   * For a logger: `hmac-sha256:<base64url>` of the text's UTF-8 (RFC 2104) under the digest key of
   * `kid`. Without the key, no guess at the text can be checked.
   */
  digest(text: string, kid: string, subject?: SubjectKey): string {
    return digestUnder(text, this.#keysOf(kid, subject));
  }

  /**
   * For a logger: the text of an entry's content. With `binding`, a ciphertext of another entry or
   * field is refused; a Fernet token of the Python original is bound to nothing and accepted.
   *
   * Throws `AuditDecryptError`: `AUDIT_KEY_MISSING`, `AUDIT_SUBJECT_ERASED`,
   * `AUDIT_DECRYPT_FAILED`.
   */
  open(token: string, binding?: ContentBinding): string {
    if (typeof token !== "string")
      throw new AuditDecryptError("AUDIT_DECRYPT_FAILED", "The encrypted content is not text");
    if (!token.includes(".")) return openFernet(token, this.#masters.all());
    const jwe = parseJwe(token);
    if (binding !== undefined && !isBoundTo(jwe.cty, binding)) {
      throw new AuditDecryptError(
        "AUDIT_DECRYPT_FAILED",
        "The encrypted content belongs to another entry or field",
      );
    }
    return openJwe(jwe, this.#keysForReading(jwe.kid).content);
  }

  /**
   * For a logger: an entry's content as it was encrypted. The ciphertext itself says, under its
   * authentication tag, whether it is text or JSON; the fields beside it do not count. Throws as
   * `open` does.
   */
  openContent(token: string, binding: ContentBinding): Content {
    const text = this.open(token, binding);
    const isJson = token.includes(".") && parseJwe(token).cty === contentType(JSON_TEXT, binding);
    return { text, format: isJson ? "json" : undefined };
  }

  /**
   * For a logger: whether `hash` is the keyed digest of `text` under `kid`; in constant time. False
   * for a hash that is not keyed. Throws `AuditDecryptError`: `AUDIT_KEY_MISSING`,
   * `AUDIT_SUBJECT_ERASED`.
   */
  matches(text: string, hash: string, kid: string): boolean {
    const expected = Buffer.from(digestUnder(text, this.#keysForReading(kid)));
    const actual = Buffer.from(hash);
    return expected.byteLength === actual.byteLength && timingSafeEqual(expected, actual);
  }

  /**
   * For a logger: the key of a data subject, made and durable when there was none. Call it for each
   * entry, so that an erasure by another process is noticed. Rejects with `AuditError`
   * (`AUDIT_SUBJECT_INVALID`).
   */
  async subjectKey(name: string): Promise<SubjectKey> {
    return this.#subjects.obtain(name);
  }

  /**
   * The ids that stand in the log for a data subject: none or one, and more only if processes wrote
   * under master keys that the others did not know.
   */
  async subjectIds(name: string): Promise<readonly string[]> {
    return this.#subjects.find(name);
  }

  /**
   * Destroys the secrets of a data subject and gives the ids they stood under, empty when there
   * were none. From then on that subject's content cannot be decrypted, even with the log and the
   * master keys. A later entry for the same name begins with a new secret. Rejects with
   * `AuditError` (`AUDIT_SUBJECT_INVALID`).
   */
  async eraseSubject(name: string): Promise<readonly string[]> {
    const ids = await this.#subjects.destroy(name);
    for (const id of ids) this.#derived.forgetSubject(id);
    return ids;
  }

  /**
   * The content key of one `kid`, to open that writer's (and that subject's) content elsewhere with
   * any JOSE library. It opens nothing else, and checks no digests. Throws `AuditDecryptError` as
   * `open` does.
   */
  exportKey(kid: string): ContentJwk {
    const { content } = this.#keysForReading(kid);
    return {
      kty: "oct",
      alg: "A256GCM",
      use: "enc",
      kid,
      k: content.export().toString("base64url"),
    };
  }

  #encrypt(text: string, kid: string, cty: string, subject: SubjectKey | undefined): string {
    this.#messages += 1;
    return encryptJwe(text, this.#keysOf(kid, subject).content, { kid, cty }, nextNonce());
  }

  #keysOf(kid: string, subject: SubjectKey | undefined): DerivedKeys {
    const known = this.#derived.get(kid);
    if (known !== undefined && known.subjectId === subject?.id) return known;
    const parts = parseKid(kid);
    if (parts === undefined || parts.subjectId !== subject?.id) {
      throw new TypeError("kid must come from kidFor() with the same subject");
    }
    return this.#derived.derive(kid, this.#masters.get(parts.keyId), subject);
  }

  #keysForReading(kid: string): DerivedKeys {
    const parts = parseKid(kid);
    if (parts === undefined) {
      throw new AuditDecryptError(
        "AUDIT_DECRYPT_FAILED",
        "The encrypted content does not name a key in this log's form",
      );
    }
    this.#masters.get(parts.keyId); // the master key first: without it no subject's secret helps
    return this.#keysOf(kid, this.#subjectFor(parts));
  }

  // The store is asked each time, although the derived key may be known: another process may have
  // erased the subject.
  #subjectFor({ subjectId }: Kid): SubjectKey | undefined {
    if (subjectId === undefined) return undefined;
    try {
      return this.#subjects.get(subjectId);
    } catch (error) {
      this.#derived.forgetSubject(subjectId);
      throw error;
    }
  }
}

function contentType(type: typeof TEXT | typeof JSON_TEXT, { id, field }: ContentBinding): string {
  return `${type}; id=${id}; field=${field}`;
}

function isBoundTo(cty: string | undefined, binding: ContentBinding): boolean {
  return cty === contentType(TEXT, binding) || cty === contentType(JSON_TEXT, binding);
}

function digestUnder(text: string, keys: DerivedKeys): string {
  const hmac = createHmac("sha256", keys.digest).update(text.toWellFormed(), "utf8");
  return DIGEST_PREFIX + hmac.digest("base64url");
}
