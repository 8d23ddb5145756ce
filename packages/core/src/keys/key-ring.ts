// The master keys of a program: one writes, all read.
import type { KeyObject } from "node:crypto";
import { AuditConfigError, AuditDecryptError } from "../errors.ts";
import { decodeKey, encodeKey, fingerprint } from "./keys.ts";
import { isKeyId } from "./kid.ts";
import { parseJson } from "./parse-json.ts";

/** Several master keys, by ids of your own choice (`[A-Za-z0-9_-]`, at most 64 characters). */
export interface KeyRing {
  /** The id of the key that writes. */
  readonly current: string;
  /**
   * All known keys, the current one among them: 32 bytes each, as `generateKey()` makes them or as
   * KeyObjects.
   */
  readonly keys: Readonly<Record<string, string | KeyObject>>;
}

/** One master key or several. */
export type Keys = string | KeyRing;

/** Decoded master keys, found by the ids under which entries may name them. */
export class MasterKeys {
  /** The id under which new content is written. */
  readonly currentId: string;
  readonly #byId = new Map<string, KeyObject>();
  readonly #current: KeyObject;

  /**
   * One key is known by its fingerprint. Keys of a ring are known by their ids and by their
   * fingerprints, so that a single key can become the first of a ring. Throws `AuditConfigError`:
   * `AUDIT_KEY_INVALID` for a malformed key, `AUDIT_CONFIG_INVALID` for a ring without its current
   * key or with an impossible id.
   */
  constructor(source: Keys) {
    if (typeof source === "string") {
      this.#current = decodeKey(source, "The encryption key");
      this.currentId = fingerprint(this.#current);
      this.#byId.set(this.currentId, this.#current);
      return;
    }
    if (!isRing(source)) {
      throw new AuditConfigError(
        "The encryption key is neither a key nor a key ring: expected a string, or { current, keys }",
        { code: "AUDIT_KEY_INVALID" },
      );
    }
    for (const [id, key] of Object.entries(source.keys)) {
      if (!isKeyId(id))
        throw new AuditConfigError("A key id must be 1 to 64 characters of [A-Za-z0-9_-]");
      this.#byId.set(id, decodeKey(key, `The encryption key "${id}"`));
    }
    const current = this.#byId.get(source.current);
    if (current === undefined)
      throw new AuditConfigError("The key ring's current key is not among its keys");
    this.#current = current;
    this.currentId = source.current;
    for (const key of this.all()) this.#addFingerprint(key);
  }

  /** The current key as text. */
  export(): string {
    return encodeKey(this.#current);
  }

  get current(): KeyObject {
    return this.#current;
  }

  /**
   * The key with this id. Throws `AuditDecryptError` (`AUDIT_KEY_MISSING`) with the id in its
   * message.
   */
  get(id: string): KeyObject {
    const key = this.#byId.get(id);
    if (key === undefined) {
      throw new AuditDecryptError(
        "AUDIT_KEY_MISSING",
        `The key "${id}" is needed and is not known here`,
      );
    }
    return key;
  }

  /** Every known key once, the current one first. */
  all(): ReadonlySet<KeyObject> {
    return new Set([this.#current, ...this.#byId.values()]);
  }

  #addFingerprint(key: KeyObject): void {
    const id = fingerprint(key);
    const known = this.#byId.get(id);
    if (known !== undefined && !known.equals(key)) {
      throw new AuditConfigError(
        `The key id "${id}" is the fingerprint of another key of the ring`,
      );
    }
    this.#byId.set(id, key);
  }
}

/**
 * The keys that a string holds: a key by itself, or `{"current":"v2","keys":{"v1":"…","v2":"…"}}`
 * as JSON. `name` is its name in messages; they never show the string. Throws `AuditConfigError`:
 * `AUDIT_CONFIG_INVALID` for an empty string, `AUDIT_KEY_INVALID` for any other without keys.
 */
export function parseKeys(text: string, name: string): Keys {
  const trimmed = text.trim();
  if (trimmed === "") throw new AuditConfigError(`${name} is empty: it must hold a key`);
  if (!trimmed.startsWith("{")) {
    decodeKey(trimmed, name);
    return trimmed;
  }
  const ring = parseJson(trimmed);
  if (isKeyRing(ring)) return ring;
  throw new AuditConfigError(
    `${name} is not a key ring: expected {"current":"<id>","keys":{"<id>":"<key>"}}`,
    {
      code: "AUDIT_KEY_INVALID",
    },
  );
}

function isKeyRing(
  value: unknown,
): value is { readonly current: string; readonly keys: Record<string, string> } {
  return isRing(value) && Object.values(value.keys).every((key) => typeof key === "string");
}

/** Keys come from vaults and settings, where types are not checked. */
function isRing(value: unknown): value is { readonly current: string; readonly keys: object } {
  if (typeof value !== "object" || value === null || !("current" in value) || !("keys" in value))
    return false;
  const { current, keys } = value;
  return typeof current === "string" && typeof keys === "object" && keys !== null;
}
