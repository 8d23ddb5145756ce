// Figures for a dashboard or a health check, computed from the log itself.
import { lineToEntry } from "../format/entry-line.ts";
import type { AuditStorage } from "../storage/storage.ts";
import { HOUR_MS } from "../time.ts";

/** The state of a log and of its last hour. */
export interface AuditHealth {
  /** False when the latest write failed, or when the next one would. */
  readonly ok: boolean;
  readonly totalEntries: number;
  readonly lastHour: {
    readonly entries: number;
    /** Entries with `safetyPassed: false`. */
    readonly safetyFailures: number;
    /** Milliseconds over the entries that know their latency; null when none does. */
    readonly latencyMs: { readonly p50: number | null; readonly p95: number | null };
  };
  readonly pendingWrites: number;
  /** Entries that could not be written since this logger's storage was made. */
  readonly lostWrites: number;
  /** The error of the latest failed write, or the reason why the next one would fail. */
  readonly lastError: Error | undefined;
}

/** Reads the last hour of `storage` and its write status. `now` in milliseconds since the epoch. */
export async function measureHealth(storage: AuditStorage, now: number): Promise<AuditHealth> {
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
  const { pending, lost, lastError: failed } = storage.status();
  const lastError = failed ?? (await problemOf(storage));
  return {
    ok: lastError === undefined,
    totalEntries: await storage.count({}),
    lastHour: {
      entries,
      safetyFailures,
      latencyMs: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95) },
    },
    pendingWrites: pending,
    lostWrites: lost,
    lastError,
  };
}

async function problemOf(storage: AuditStorage): Promise<Error | undefined> {
  try {
    await storage.probe?.();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Nearest-rank quantile of ascending values. */
function quantile(ascending: readonly number[], q: number): number | null {
  return ascending[Math.max(0, Math.ceil(q * ascending.length) - 1)] ?? null;
}
