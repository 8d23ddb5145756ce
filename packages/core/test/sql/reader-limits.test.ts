import { expect, it } from "vitest";
import { readerLimits } from "../../src/sql/reader-limits.ts";

const MIB = 2 ** 20;

// Two buffers of a line a thread stay within 40 % of the memory less 48 MiB, unless one thread with
// 16 MiB lines is more already.
it.each([
  [64 * 1024 * MIB, 32, { threads: 32, lineBytes: 256 * MIB }],
  [24 * 1024 * MIB, 2, { threads: 2, lineBytes: 256 * MIB }],
  [1000 * MIB, 2, { threads: 2, lineBytes: 88 * MIB }],
  [1000 * MIB, 64, { threads: 11, lineBytes: 16 * MIB }],
  [160 * MIB, 4, { threads: 1, lineBytes: 16 * MIB }],
  [64 * MIB, 4, { threads: 1, lineBytes: 16 * MIB }],
])("%i bytes of memory and %i cores are read with %o", (memoryBytes, cores, limits) => {
  expect(readerLimits(memoryBytes, cores)).toEqual(limits);
});
