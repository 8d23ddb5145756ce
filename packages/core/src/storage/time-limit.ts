// A time limit for work that cannot be cancelled, such as a write to a disk that does not answer.
import { clearTimeout, setTimeout } from "node:timers"; // a caller's test may have stopped the global ones
import type { AuditWriteError } from "../errors.ts";
import { UntriedWrite } from "./write-failure.ts";

/** Work that may have been abandoned because it took too long. */
export interface Attempt {
  isGivenUp: boolean;
}

/** Runs pieces of work, one at a time. */
export class TimeLimit {
  readonly #limitMs: number;
  readonly #lateError: () => AuditWriteError;
  /** Work that did not end in time, until it ends. */
  #stuck: Promise<void> | undefined;

  constructor(limitMs: number, lateError: () => AuditWriteError) {
    this.#limitMs = limitMs;
    this.#lateError = lateError;
  }

  /**
   * Rejects when this work does not end in time, and with `UntriedWrite` when earlier work is still
   * stuck until then. Stuck work continues in the background; `onLateSuccess` is called if it
   * succeeds.
   */
  async run(work: (attempt: Attempt) => Promise<void>, onLateSuccess?: () => void): Promise<void> {
    const attempt: Attempt = { isGivenUp: false };
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      attempt.isGivenUp = true;
      reject(this.#lateError());
    }, this.#limitMs);
    try {
      const stuck = this.#stuck;
      if (stuck) {
        const ended = await Promise.race([stuck.then(() => true), late.catch(() => false)]);
        if (!ended) throw new UntriedWrite(this.#lateError());
      }
      const working = work(attempt);
      this.#stuck = this.#follow(working, attempt, onLateSuccess);
      await Promise.race([working, late]);
    } finally {
      clearTimeout(timer);
      late.catch(() => undefined);
    }
  }

  async #follow(
    working: Promise<void>,
    attempt: Attempt,
    onLateSuccess: (() => void) | undefined,
  ): Promise<void> {
    const hasEndedWell = await working.then(
      () => true,
      () => false, // the caller has the error
    );
    this.#stuck = undefined;
    if (hasEndedWell && attempt.isGivenUp) onLateSuccess?.();
  }
}
