// The keys of a `kid`: derived once, kept while they are in use.
import type { KeyObject } from "node:crypto";
import { deriveKey, type SubjectKey } from "./keys.ts";
import { RecentMap } from "../bounded-map.ts";

/** The keys that are derived for one `kid`. */
export interface DerivedKeys {
  /** For AES-256-GCM. */
  readonly content: KeyObject;
  /** For HMAC-SHA256. */
  readonly digest: KeyObject;
  /** The data subject whose secret went into them; undefined without one. */
  readonly subjectId: string | undefined;
}

/**
 * Writers use one `kid` and readers a few hundred; with a subject in every entry, only the latest
 * are needed.
 */
const CAPACITY = 1024;

/** Derived keys by `kid`, the least recently used forgotten first. */
export class DerivedKeyCache {
  readonly #byKid = new RecentMap<string, DerivedKeys>(CAPACITY);

  get(kid: string): DerivedKeys | undefined {
    return this.#byKid.get(kid);
  }

  derive(kid: string, master: KeyObject, subject: SubjectKey | undefined): DerivedKeys {
    const [content, digest] = [
      deriveKey(master, "enc", kid, subject),
      deriveKey(master, "dig", kid, subject),
    ];
    const keys = { content, digest, subjectId: subject?.id };
    this.#byKid.set(kid, keys);
    return keys;
  }

  /** Forgets every key that a subject's secret went into. */
  forgetSubject(id: string): void {
    for (const [kid, { subjectId }] of this.#byKid.entries())
      if (subjectId === id) this.#byKid.delete(kid);
  }
}
