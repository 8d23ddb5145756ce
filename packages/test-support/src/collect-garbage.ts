// Garbage collection on demand.
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** Collects at once, within the turn. */
export const collectNow = runInNewContext("gc") as () => void;

/** Collects, and lets finalization callbacks and what they await run. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    collectNow();
    await sleep(10);
  }
}
