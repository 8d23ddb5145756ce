// The store of data subjects' secrets: the interface alone.
import type { SubjectKey } from "./keys.ts";

/** The state of an id in a key store: its key, destroyed, or unknown. */
export type SubjectState = SubjectKey | "erased" | undefined;

/**
 * Keeps one random secret for each data subject until it is destroyed.
 *
 * A store never learns a subject's name: `names` are keyed hashes of it (HMAC-SHA256 as base64url,
 * 43 characters), one for each known master key, the current one's first. All of them mean the same
 * subject; which of them a store has seen before depends on when the keys were rotated.
 *
 * Backups of a store undo erasures: keep them for less time than an erasure may take.
 */
export interface KeyStore {
  /**
   * The key known under any of these names, made when there is none. Afterwards it is known under
   * the first of them, so that older master keys can be dropped. Durable when it resolves. Of calls
   * at once, from any number of processes, all get the same key. A store that caches must notice
   * what other processes destroy.
   */
  obtain(names: readonly string[]): Promise<SubjectKey>;
  /**
   * Ids of the keys known under any of these names: none or one, or more after processes that did
   * not know each other's keys.
   */
  find(names: readonly string[]): Promise<readonly string[]>;
  /**
   * The state of an id. Synchronous, because reading an entry's content is synchronous: a store
   * across a network keeps a local copy.
   */
  lookUp(id: string): SubjectState;
  /**
   * Destroys the secrets known under any of these names, and the names; remembers that the ids were
   * erased. Gives those ids. When it resolves, no data readable from the store opens their content.
   */
  destroy(names: readonly string[]): Promise<readonly string[]>;
}
