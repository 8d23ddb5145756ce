// The ids of calls that begin and end in a log. Only logs written with `intent` have them.

/** Ids kept at most: memory is bounded. */
const MAX_CALLS = 1_000_000;
const MEMBER = Buffer.from('"call":"');
const ID_BYTES = 36;

/**
 * State that the examination of files shares: the number of ids it keeps, and whether it looks for
 * any.
 */
export class CallIds {
  #left = MAX_CALLS;
  #isWanted = false;

  /**
   * Whether a `call.started` line was met: only then entries are searched for the call that they
   * end.
   */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Whether there were more ids than are kept. */
  get isExceeded(): boolean {
    return this.#left <= 0;
  }

  /** Counts an id; false when it is one too many. */
  admit(): boolean {
    this.#isWanted = true;
    this.#left -= 1;
    return this.#left > 0;
  }

  /**
   * Adds the call that an entry's line ends. Within JSON strings the quotes of the pattern are
   * escaped.
   */
  collect(line: Buffer, into: string[]): void {
    for (let at = line.indexOf(MEMBER); at !== -1; at = line.indexOf(MEMBER, at + 1)) {
      const start = at + MEMBER.length;
      if (this.admit()) into.push(line.toString("latin1", start, start + ID_BYTES));
    }
  }
}
