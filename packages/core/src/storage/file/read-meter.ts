// The progress of a reader of many files.
import type { RandomAccess } from "../../retention/random-access.ts";
import type { OnProgress } from "../storage.ts";

/** Adds up the bytes read. */
export class ReadMeter {
  readonly #total: number;
  readonly #onProgress: OnProgress;
  #read = 0;

  /** @param total the whole, in any unit */
  constructor(total: number, onProgress: OnProgress) {
    this.#total = total;
    this.#onProgress = onProgress;
  }

  /**
   * Adds bytes read. Capped at 100 %: the files may have grown since they were measured.
   */
  add(amount: number): void {
    this.#read += amount;
    this.#onProgress(this.#total === 0 ? 1 : Math.min(1, this.#read / this.#total));
  }
}

/** The reader, with its bytes added to a meter. */
export function countingReader(reader: RandomAccess, meter: ReadMeter): RandomAccess {
  return {
    read: async (buffer, offset, length, position) => {
      const result = await reader.read(buffer, offset, length, position);
      meter.add(result.bytesRead);
      return result;
    },
  };
}
