// A set-up file of vitest: no test file begins in the last minutes of a UTC day, so that none sees
// the day change, nor in the first ones, in which yesterday's files may still be written to.
import { setTimeout as sleep } from "node:timers/promises";

const DAY_MS = 86_400_000;
/** Longer than any test file takes. */
const BEFORE_MS = 4 * 60_000;
/** As the verifier waits for a writer that is late (verify/segment-time.ts). */
const AFTER_MS = 5 * 60_000;

const sinceMidnight = Date.now() % DAY_MS;
if (sinceMidnight < AFTER_MS) await sleep(AFTER_MS - sinceMidnight + 1000);
if (DAY_MS - sinceMidnight < BEFORE_MS) await sleep(DAY_MS - sinceMidnight + AFTER_MS + 1000);
