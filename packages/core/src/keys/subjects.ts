// Data subjects as an EncryptionManager sees them: names come in, ids and secrets go out.
import { createHmac, type KeyObject } from "node:crypto";
import { AuditDecryptError, AuditError } from "../errors.ts";
import type { KeyStore } from "./key-store.ts";
import { deriveKey, KEY_BYTES, type SubjectKey } from "./keys.ts";

/** A key store, and the keys under which it knows names. */
export class Subjects {
  readonly #store: KeyStore | undefined;
  readonly #nameKeys: readonly KeyObject[];

  /** `masters`: the current one first. */
  constructor(store: KeyStore | undefined, masters: Iterable<KeyObject>) {
    this.#store = store;
    this.#nameKeys =
      store === undefined
        ? []
        : Array.from(masters, (master) => deriveKey(master, "name", "subjects"));
  }

  async obtain(name: string): Promise<SubjectKey> {
    return checkSecret(await this.#stored().obtain(this.#hashesOf(name)));
  }

  async find(name: string): Promise<readonly string[]> {
    return this.#store === undefined ? [] : this.#store.find(this.#hashesOf(name));
  }

  async destroy(name: string): Promise<readonly string[]> {
    return this.#stored().destroy(this.#hashesOf(name));
  }

  /**
   * The key of an id in a log. Throws `AUDIT_SUBJECT_ERASED` or `AUDIT_KEY_MISSING`.
   */
  get(id: string): SubjectKey {
    const state = this.#store?.lookUp(id);
    if (state === "erased") {
      throw new AuditDecryptError(
        "AUDIT_SUBJECT_ERASED",
        `The data subject "${id}" was erased: its secret is destroyed`,
      );
    }
    if (state !== undefined) return checkSecret(state);
    throw new AuditDecryptError(
      "AUDIT_KEY_MISSING",
      `The secret of the data subject "${id}" is needed and is not known here`,
    );
  }

  #stored(): KeyStore {
    if (this.#store !== undefined) return this.#store;
    throw new AuditError(
      "AUDIT_SUBJECT_INVALID",
      "A data subject needs a key store: new EncryptionManager(key, { subjects })",
    );
  }

  // Keyed: an attacker who steals the store can neither read names nor test guesses.
  #hashesOf(name: string): readonly string[] {
    if (typeof name !== "string" || name === "") {
      throw new AuditError(
        "AUDIT_SUBJECT_INVALID",
        "A data subject's name must be a non-empty string",
      );
    }
    const text = name.toWellFormed();
    return this.#nameKeys.map((key) =>
      createHmac("sha256", key).update(text, "utf8").digest("base64url"),
    );
  }
}

/**
 * The store may come from the application: with a short secret, or none, an erasure would destroy
 * nothing.
 */
function checkSecret(key: SubjectKey): SubjectKey {
  if (key.secret.symmetricKeySize === KEY_BYTES) return key;
  throw new AuditError(
    "AUDIT_SUBJECT_INVALID",
    `The key store's secret of the subject "${key.id}" is not a KeyObject of ${KEY_BYTES} bytes`,
  );
}
