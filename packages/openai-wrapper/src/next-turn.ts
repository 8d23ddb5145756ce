// Work for the next turn of the event loop, one timer for all of it.
import { setImmediate } from "node:timers"; // not the global one, which a caller's test may have stopped

let waiting: (() => void)[] = [];

/** Runs `work` once everything that can happen in this turn has happened. It must not throw. */
export function nextTurn(work: () => void): void {
  if (waiting.push(work) === 1) setImmediate(run);
}

function run(): void {
  const all = waiting;
  waiting = [];
  for (const work of all) work();
}
