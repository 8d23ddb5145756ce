// The end of the event loop's turn: one timer for all waiters.
import { setImmediate } from "node:timers"; // not the global one, which a caller's test may have stopped

// State of the module: a process has one event loop, and so one end of the turn.
let ending: Promise<void> | undefined;

/**
 * Resolves at the end of the current event-loop turn. Waiters resume in the order of their calls;
 * one that waits again immediately resumes in the same turn. The work that a turn's calls have left
 * is then done together: one commit for all of them, with code and data in the processor's caches.
 */
export function endOfTurn(): Promise<void> {
  ending ??= new Promise((resolve) =>
    setImmediate(() => {
      // After all waiters: a loop that waits again and again must not delay the next turn.
      void ending?.then(() => (ending = undefined));
      resolve();
    }),
  );
  return ending;
}
