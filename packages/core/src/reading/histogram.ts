// Percentiles of any number of values in little memory.

/** Neighbouring buckets differ by this factor, so that a percentile is off by less than 1 %. */
const BUCKET_FACTOR = 1.01;
const LOG_FACTOR = Math.log(BUCKET_FACTOR);

/** The bucket of a non-negative value. */
export function bucketOf(value: number): number {
  return value < 1 ? 0 : 1 + Math.round(Math.log(value) / LOG_FACTOR);
}

/**
 * Counts non-negative values in buckets that grow with the value, as HdrHistogram and DDSketch do.
 */
export class Histogram {
  /** By bucket, with holes. */
  readonly #counts: number[] = [];
  #total = 0;

  add(value: number): void {
    this.addBucket(bucketOf(value));
  }

  /** Counts a value by its bucket, where several histograms count the same one. */
  addBucket(bucket: number, count = 1): void {
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#total += count;
  }

  /** Counts all that another one counted. */
  merge(other: Histogram): void {
    other.#counts.forEach((count, bucket) => this.addBucket(bucket, count));
  }

  /**
   * The value at or below which a share `q` of the values lies (nearest rank), within 1 %; null
   * without values.
   */
  quantile(q: number): number | null {
    let rank = Math.max(1, Math.ceil(q * this.#total));
    for (const [bucket, count = 0] of this.#counts.entries()) {
      rank -= count;
      if (rank <= 0) return bucket === 0 ? 0 : Math.round(BUCKET_FACTOR ** (bucket - 1));
    }
    return null;
  }
}
