// S3's charges for a log, from measured sizes and counts. List prices of S3 Standard, us-east-1:
// look yours up.
export const WRITE_DOLLARS = 0.005 / 1000; // PUT, POST, COPY, LIST; the requests that begin and end an upload in parts too
export const READ_DOLLARS = 0.0004 / 1000; // GET, HEAD
const STORAGE_DOLLARS = 0.023; // a GB a month
const DAY_SECONDS = 86_400;
const PART_BYTES = 16 * 2 ** 20;
const SEGMENT_BYTES = 100 * 2 ** 20;
const MAX_ENTRIES = 5000;
const MAX_COMMIT_BYTES = 8 * 2 ** 20;

/** One way to write, at one rate. */
export interface Cost {
  readonly callsPerSecond: number;
  readonly way: string;
  readonly entriesPerObject: number;
  readonly objectsPerDay: number;
  readonly writesPerDay: number;
  readonly readsPerDay: number;
  readonly gigabytesPerDay: number;
  readonly requestDollarsPerDay: number;
  /** A month of storing one month's entries. */
  readonly storageDollarsPerMonth: number;
}

interface Direct {
  readonly processes: number;
  /** Seconds that the bucket takes to answer. */
  readonly answerSeconds: number;
  /** `commit.maxDelayMs`, in seconds. */
  readonly delaySeconds: number;
}

/**
 * Objects a second, at most: one for each entry; one at a time for each process, which waits for
 * company and then for the answer. Sooner where 5,000 entries or 8 MiB are together.
 */
function directObjectsPerSecond(
  callsPerSecond: number,
  bytesPerEntry: number,
  { processes, answerSeconds, delaySeconds }: Direct,
): number {
  const inTurn = Math.min(callsPerSecond, processes / (answerSeconds + delaySeconds));
  return Math.max(
    inTurn,
    callsPerSecond / MAX_ENTRIES,
    (callsPerSecond * bytesPerEntry) / MAX_COMMIT_BYTES,
  );
}

/**
 * Requests to ship a segment: it is looked for, stored, looked at once more, and read back where it
 * went in parts.
 */
function shippingRequests(bytes: number): { readonly writes: number; readonly reads: number } {
  const parts = Math.ceil(bytes / PART_BYTES);
  return parts <= 1 ? { writes: 1, reads: 2 } : { writes: parts + 2, reads: parts + 3 };
}

/** The table of docs/scale.md. `bytesPerEntry` as measured; `answerSeconds` is assumed. */
export function costs(
  bytesPerEntry: number,
  answerSeconds: number,
  rates: readonly number[] = [1, 100, 10_000],
): Cost[] {
  return rates.flatMap((callsPerSecond) => {
    const cost = (
      way: string,
      objectsPerDay: number,
      writesPerDay: number,
      readsPerDay: number,
    ): Cost => {
      const gigabytesPerDay = (callsPerSecond * DAY_SECONDS * bytesPerEntry) / 1e9;
      const requestDollarsPerDay = writesPerDay * WRITE_DOLLARS + readsPerDay * READ_DOLLARS;
      const storageDollarsPerMonth = gigabytesPerDay * 30 * STORAGE_DOLLARS;
      return {
        callsPerSecond,
        way,
        entriesPerObject: (callsPerSecond * DAY_SECONDS) / objectsPerDay,
        objectsPerDay,
        writesPerDay,
        readsPerDay,
        gigabytesPerDay,
        requestDollarsPerDay,
        storageDollarsPerMonth,
      };
    };
    const direct = (processes: number, delaySeconds: number): Cost => {
      const objects =
        DAY_SECONDS *
        directObjectsPerSecond(callsPerSecond, bytesPerEntry, {
          processes,
          answerSeconds,
          delaySeconds,
        });
      const who = processes === 1 ? "1 process" : `${processes} processes`;
      return cost(
        `direct, ${who}${delaySeconds > 0 ? ", maxDelayMs 1000" : ""}`,
        objects,
        objects,
        0,
      );
    };
    const bytesPerDay = callsPerSecond * DAY_SECONDS * bytesPerEntry;
    const whole = Math.floor(bytesPerDay / SEGMENT_BYTES);
    const full = shippingRequests(SEGMENT_BYTES);
    const last = shippingRequests(bytesPerDay % SEGMENT_BYTES);
    return [
      cost("one object an entry", ...same(callsPerSecond * DAY_SECONDS), 0),
      direct(1, 0),
      direct(1, 1),
      direct(10, 0),
      direct(10, 1),
      cost(
        "shipped",
        whole + 1,
        whole * full.writes + last.writes,
        whole * full.reads + last.reads,
      ),
    ];
  });
}

function same(count: number): [number, number] {
  return [count, count];
}
