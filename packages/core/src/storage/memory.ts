// The log in memory: for tests and short-lived tools.
import { recordsCallAgain } from "../format/entry-line.ts";
import { AuditConfigError, AuditWriteError } from "../errors.ts";
import { newStream, timeOfId } from "../format/id.ts";
import { checkLine } from "../format/check-line.ts";
import type { AuditStorage, PruneOptions, PruneResult, TimeRange, WriteStatus } from "./storage.ts";

interface Kept {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly line: string;
  readonly counted: boolean;
}

const PAGE_LINES = 1000;

/** Keeps entries in this process only. Beyond `maxEntries` the oldest are dropped. */
export class MemoryStorage implements AuditStorage {
  readonly stream: string = newStream();
  readonly durable: boolean = false;
  readonly #maxEntries: number;
  #kept = new Map<string, Kept>();
  #closed = false;
  #lost = 0;

  /**
   * @param options `maxEntries`: largest number of entries kept. @default Infinity. Throws
   * `AUDIT_CONFIG_INVALID`.
   */
  constructor({ maxEntries = Infinity }: { readonly maxEntries?: number } = {}) {
    if (!(maxEntries >= 1)) throw new AuditConfigError("maxEntries must be a number >= 1");
    this.#maxEntries = maxEntries;
  }

  async append(line: string, id?: string): Promise<void> {
    if (this.#closed) throw new AuditWriteError("AUDIT_CLOSED", "the storage is closed");
    checkLine(line, id);
    if (id === undefined) return; // control lines serve sealing, which memory lacks
    this.#kept.set(id, { id, time: timeOfId(id) ?? 0, line, counted: !recordsCallAgain(line) });
    if (this.#kept.size > this.#maxEntries) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
  }

  lose(): void {
    this.#lost += 1;
  }

  async get(id: string): Promise<string | undefined> {
    return this.#kept.get(id)?.line;
  }

  async *pages(
    range: TimeRange,
    order: "oldest-first" | "newest-first",
  ): AsyncGenerator<readonly string[]> {
    const inRange = this.#inRange(range).toSorted((a, b) => a.time - b.time); // a stable sort: appends keep their order
    if (order === "newest-first") inRange.reverse();
    for (let at = 0; at < inRange.length; at += PAGE_LINES) {
      yield inRange.slice(at, at + PAGE_LINES).map(({ line }) => line);
    }
  }

  async count(range: TimeRange): Promise<number> {
    return this.#inRange(range).filter(({ counted }) => counted).length;
  }

  async prune({ before, dryRun }: PruneOptions): Promise<PruneResult> {
    const expired = [...this.#kept.values()].filter(({ time }) => time < before);
    if (!dryRun) for (const { id } of expired) this.#kept.delete(id);
    return { entries: expired.length, files: [] };
  }

  status(): WriteStatus {
    return { pending: 0, pendingBytes: 0, lost: this.#lost, lastError: undefined };
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed = true;
  }

  #inRange({ from = -Infinity, to = Infinity }: TimeRange): Kept[] {
    return [...this.#kept.values()].filter(({ time }) => time >= from && time <= to);
  }
}
