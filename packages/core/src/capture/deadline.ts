// One timer for many deadlines. All have the same length, so they expire in the order of their
// start.
import { setTimeout } from "node:timers"; // not the global one, which a caller's test may have stopped

interface Waiting {
  /** On the clock of `performance.now()`. */
  readonly due: number;
  readonly reject: (error: Error) => void;
}

/** Work that takes longer than `limitMs` counts as failed. */
export class Deadline {
  readonly #limitMs: number;
  readonly #missed: () => Error;
  /** In the order in which they are due. */
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;

  /** @param missed makes the error that late work is rejected with */
  constructor(limitMs: number, missed: () => Error) {
    this.#limitMs = limitMs;
    this.#missed = missed;
  }

  /**
   * Settles as `work` does, or rejects when it is late. Keeps the process alive meanwhile.
   */
  limit<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { due: performance.now() + this.#limitMs, reject };
      this.#waiting.add(waiting);
      if (this.#waiting.size === 1) this.#arm();
      const forget = (): void => this.#forget(waiting);
      work.then(forget, forget);
      work.then(resolve, reject);
    });
  }

  #forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0) this.#timer?.unref(); // left to run: a new timer for each would cost more
  }

  #arm(): void {
    if (this.#timer) this.#timer.ref();
    else this.#timer = setTimeout(() => this.#check(), Math.min(this.#limitMs, MAX_TIMER_MS));
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const waiting of this.#waiting) {
      if (waiting.due > now) {
        this.#timer = setTimeout(
          () => this.#check(),
          Math.min(Math.ceil(waiting.due - now), MAX_TIMER_MS),
        );
        break;
      }
      this.#waiting.delete(waiting);
      waiting.reject(this.#missed());
    }
  }
}

/** A longer delay would overflow to 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;
