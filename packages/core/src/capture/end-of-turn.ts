// The end of the event loop's turn, one timer for all who wait for it.
import { setImmediate } from "node:timers"; // not the global one, which a caller's test may have stopped

let ending: Promise<void> | undefined;

/**
 * Resolves once everything that can happen in this turn has happened, for all who wait in the order in which they
 * began to; one who has waited and at once waits again is let through with them. What a turn's calls have left to do is
 * done at one go then: one commit for all, and code and data are in the processor's caches from the first to the last.
 */
export function endOfTurn(): Promise<void> {
  ending ??= new Promise((resolve) =>
    setImmediate(() => {
      // After all who wait, before what follows: a loop that waits again and again must not keep the next turn away.
      void ending?.then(() => (ending = undefined));
      resolve();
    }),
  );
  return ending;
}
