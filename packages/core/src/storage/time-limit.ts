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
  /** Work under way. It never rejects. */
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
  run(work: (attempt: Attempt) => Promise<void>, onLateSuccess?: () => void): Promise<void> {
    const attempt: Attempt = { isGivenUp: false };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let isWaiting = this.#stuck !== undefined;
    const timer = setTimeout(() => {
      attempt.isGivenUp = true;
      const late = this.#lateError();
      reject(isWaiting ? new UntriedWrite(late) : late);
    }, this.#limitMs);
    const end = (): void => {
      this.#stuck = undefined;
      clearTimeout(timer);
    };
    const succeed = (): void => {
      end();
      resolve();
      if (attempt.isGivenUp) onLateSuccess?.();
    };
    const fail = (error: unknown): void => {
      end();
      reject(error);
    };
    const begin = (): void => {
      isWaiting = false;
      if (!attempt.isGivenUp) this.#stuck = work(attempt).then(succeed, fail);
    };
    if (this.#stuck) void this.#stuck.then(begin);
    else begin();
    return promise;
  }
}
