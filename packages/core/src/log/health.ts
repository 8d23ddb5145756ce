// Figures for a dashboard or a health check, computed from the log itself, in bounded time.
import { Deadline } from "../capture/deadline.ts";
import { AuditError, AuditWriteError } from "../errors.ts";
import { lineToEntry } from "../format/entry-line.ts";
import type { AuditStorage } from "../storage/storage.ts";
import type { AnchorStatus, LogAnchor } from "./log-anchor.ts";
import { HOUR_MS } from "../time.ts";

/** The state of a log and of its last hour. */
export interface AuditHealth {
  /** False when the latest write failed, or when the next one would. */
  readonly ok: boolean;
  /** Null when the log could not be read; `readError` has the reason. */
  readonly totalEntries: number | null;
  /** Null when the log could not be read. */
  readonly lastHour: {
    readonly entries: number;
    /** Entries with `safetyPassed: false`. */
    readonly safetyFailures: number;
    /** Milliseconds over the entries that know their latency; null when none does. */
    readonly latencyMs: { readonly p50: number | null; readonly p95: number | null };
  } | null;
  readonly pendingWrites: number;
  /** Entries that could not be written since this logger's storage was made. */
  readonly lostWrites: number;
  /** The error of the latest failed write, or the reason why the next one would fail. */
  readonly lastError: Error | undefined;
  /** The reason why there are no figures of the log: it cannot be read, or not in time. */
  readonly readError: Error | undefined;
  /** How far the log is anchored; absent without the option `anchor`. Does not change `ok`. */
  readonly anchor?: AnchorStatus;
}

/** Options of `AuditLogger.health()`. */
export interface HealthOptions {
  /**
   * Milliseconds for the look at the storage and for the reading of the log, which run side by
   * side. @default 10000
   */
  readonly timeoutMs?: number;
}

/** Measures the health of one storage. */
export class HealthCheck {
  readonly #storage: AuditStorage;
  readonly #anchor: LogAnchor | undefined;
  readonly #probes = new Turns();
  readonly #readings = new Turns();

  constructor(storage: AuditStorage, anchor?: LogAnchor) {
    this.#storage = storage;
    this.#anchor = anchor;
  }

  /** Reads the last hour and the write status. `now` in milliseconds since the epoch. */
  async measure(now: number, timeoutMs: number): Promise<AuditHealth> {
    const storage = this.#storage;
    const [problem, read] = await Promise.all([
      this.#probes
        .take(async () => storage.probe?.(), timeoutMs, unanswered)
        .then(() => undefined, asError),
      this.#readings
        .take(async () => readFigures(storage, now), timeoutMs, unread)
        .then(
          (figures) => ({ ...figures, readError: undefined }),
          (error: unknown) => ({ totalEntries: null, lastHour: null, readError: asError(error) }),
        ),
    ]);
    const { pending, lost, lastError: failed } = storage.status();
    const lastError = failed ?? problem;
    return {
      ok: lastError === undefined,
      totalEntries: read.totalEntries,
      lastHour: read.lastHour,
      pendingWrites: pending,
      lostWrites: lost,
      lastError,
      readError: read.readError,
      ...(this.#anchor && { anchor: this.#anchor.status() }),
    };
  }
}

/**
 * Runs pieces of work one at a time, each with a deadline. Work on a disk that hangs cannot be
 * cancelled and keeps a thread of Node's pool: one, however often somebody asks.
 */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  async take<T>(
    work: () => Promise<T>,
    timeoutMs: number,
    late: (timeoutMs: number) => Error,
  ): Promise<T> {
    let isGivenUp = false;
    const turn = this.#last.then(() => {
      if (isGivenUp) throw late(timeoutMs);
      return work();
    });
    this.#last = turn.catch(() => undefined); // its caller has the error
    try {
      return await new Deadline(timeoutMs, () => late(timeoutMs)).limit(turn);
    } finally {
      isGivenUp = true;
    }
  }
}

function unanswered(timeoutMs: number): Error {
  const message = `health(): the storage did not answer within ${timeoutMs} ms; writes would hang`;
  return new AuditWriteError("AUDIT_WRITE_TIMEOUT", message);
}

function unread(timeoutMs: number): Error {
  return new AuditError(
    "AUDIT_READ_FAILED",
    `health(): the log was not read within ${timeoutMs} ms`,
  );
}

async function readFigures(
  storage: AuditStorage,
  now: number,
): Promise<{ readonly [Name in "totalEntries" | "lastHour"]: NonNullable<AuditHealth[Name]> }> {
  const latencies: number[] = [];
  let entries = 0;
  let safetyFailures = 0;
  for await (const page of storage.pages({ from: now - HOUR_MS }, "oldest-first")) {
    for (const line of page) {
      const entry = lineToEntry(line);
      if (!entry || entry.run?.sameCallAs !== undefined) continue;
      entries += 1;
      if (!entry.safetyPassed) safetyFailures += 1;
      if (entry.latencyMs !== null) latencies.push(entry.latencyMs);
    }
  }
  latencies.sort((a, b) => a - b);
  return {
    totalEntries: await storage.count({}),
    lastHour: {
      entries,
      safetyFailures,
      latencyMs: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95) },
    },
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Nearest-rank quantile of ascending values. */
function quantile(ascending: readonly number[], q: number): number | null {
  return ascending[Math.max(0, Math.ceil(q * ascending.length) - 1)] ?? null;
}
