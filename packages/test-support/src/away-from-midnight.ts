// A set-up file of vitest: no test file begins in the last minutes of a UTC day, so that none sees
// the day change.
import { setTimeout as sleep } from "node:timers/promises";

const DAY_MS = 86_400_000;
/** Longer than any test file takes. */
const MARGIN_MS = 4 * 60_000;

const left = DAY_MS - (Date.now() % DAY_MS);
if (left < MARGIN_MS) await sleep(left + 1000);
