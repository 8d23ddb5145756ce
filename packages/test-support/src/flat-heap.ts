// Whether work leaves something behind in the heap.
import { expect } from "vitest";

const ROUNDS = 6;

/**
 * Expects a round of work, with what it leaves for finalizers collected, to grow the heap by at
 * most `maxBytes`. A leak grows the heap in every round; a compiler, a cache or a late collection
 * does not. So the round with the least growth counts, of at most six after one that warms up; the
 * first flat one ends the test.
 */
export async function expectFlatHeap(round: () => Promise<void>, maxBytes: number): Promise<void> {
  await round();
  const growths: number[] = [];
  let before = process.memoryUsage().heapUsed;
  while (growths.length < ROUNDS) {
    await round();
    const after = process.memoryUsage().heapUsed;
    growths.push(after - before);
    if (after - before <= maxBytes) return;
    before = after;
  }
  expect(
    Math.min(...growths),
    `growth of ${ROUNDS} rounds: ${growths.join(", ")}`,
  ).toBeLessThanOrEqual(maxBytes);
}
