// Percentiles of any number of values in little memory.

/** Neighbouring buckets differ by this factor, so that a percentile is off by less than 1 %. */
const BUCKET_FACTOR = 1.01;
const LOG_FACTOR = Math.log(BUCKET_FACTOR);

/**
 * Counts non-negative values in buckets that grow with the value, as HdrHistogram and DDSketch do.
 */
export class Histogram {
  readonly #counts = new Map<number, number>();
  #total = 0;

  add(value: number): void {
    const bucket = value < 1 ? 0 : 1 + Math.round(Math.log(value) / LOG_FACTOR);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#total += 1;
  }

  /**
   * The value at or below which a share `q` of the values lies (nearest rank), within 1 %; null
   * without values.
   */
  quantile(q: number): number | null {
    let rank = Math.max(1, Math.ceil(q * this.#total));
    for (const bucket of [...this.#counts.keys()].toSorted((a, b) => a - b)) {
      rank -= this.#counts.get(bucket) ?? 0;
      if (rank <= 0) return bucket === 0 ? 0 : Math.round(BUCKET_FACTOR ** (bucket - 1));
    }
    return null;
  }
}
