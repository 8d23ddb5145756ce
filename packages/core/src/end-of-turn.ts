// The end of the event loop's turn, one timer for all who wait for it.
import { nextTick } from "node:process"; // these two not the global ones, which a caller's test may have stopped
import { setImmediate } from "node:timers";

let ending: Promise<void> | undefined;

/**
 * Resolves once everything that can happen in this turn has happened, for all who wait in the order in which they
 * began to, and at once for those who begin to while the turn ends. What a turn's calls have left to do is done at one go
 * then: one commit for all, and code and data are in the processor's caches from the first to the last.
 */
export function endOfTurn(): Promise<void> {
  ending ??= new Promise((resolve) =>
    setImmediate(() => {
      resolve();
      // A tick comes once no microtask is left, so once all that follows from this end has happened too.
      queueMicrotask(() => nextTick(() => (ending = undefined)));
    }),
  );
  return ending;
}
