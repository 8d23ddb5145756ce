// A Map that forgets.

/** A map of bounded size that drops the least recently used entry. */
export class RecentMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #capacity: number;
  /** The key used last: most uses repeat it. */
  #latest: K | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined && key !== this.#latest) this.#place(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.#place(key, value);
    if (this.#entries.size <= this.#capacity) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  /** Keys with their values, the least recently used first. */
  entries(): Iterable<[K, V]> {
    return this.#entries.entries();
  }

  // A Map iterates in the order of insertion: an entry inserted again is the last to go.
  #place(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#latest = key;
  }
}
