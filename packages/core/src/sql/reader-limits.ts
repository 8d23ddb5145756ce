// The share of a machine's memory for reading.
import { availableParallelism, totalmem } from "node:os";

/**
 * DuckDB reads JSON in buffers of two objects a thread, and allows itself 80 % of the memory: half
 * of that is for the answer.
 */
const READING_SHARE = 0.4;
/**
 * Least memory for an answer, as measured: with less, sorts and groups fail instead of going to
 * disk.
 */
const SPARE_BYTES = 48 * 2 ** 20;
const LEAST_LINE_BYTES = 16 * 2 ** 20; // DuckDB's own default; its buffers are no smaller for less
const MOST_LINE_BYTES = 256 * 2 ** 20;

/** Most memory that `read_json` may take. */
export interface ReaderLimits {
  readonly threads: number;
  /** Longest line, in bytes. */
  readonly lineBytes: number;
}

/**
 * The longest lines that the memory allows, with as many threads as 16 MiB lines leave room for.
 */
export function readerLimits(memoryBytes: number, cores: number): ReaderLimits {
  const lines = (memoryBytes * READING_SHARE - SPARE_BYTES) / 2;
  const threads = Math.min(cores, Math.max(1, Math.floor(lines / LEAST_LINE_BYTES)));
  const lineBytes = Math.min(
    MOST_LINE_BYTES,
    Math.max(LEAST_LINE_BYTES, Math.floor(lines / threads)),
  );
  return { threads, lineBytes };
}

/**
 * For this process: a container's limit counts where there is one, and `memoryBytes` where it is
 * less.
 */
export function readerLimitsHere(memoryBytes: number = Infinity): ReaderLimits {
  const limit = process.constrainedMemory(); // 0 or beyond the machine's where there is none
  const total = totalmem();
  return readerLimits(
    Math.min(limit > 0 ? limit : total, total, memoryBytes),
    availableParallelism(),
  );
}
