// The write lane: group commit. Lines that arrive while one commit runs share the next.
import { clearTimeout, setTimeout } from "node:timers"; // a caller's test may have stopped the global ones
import { AuditWriteError } from "../errors.ts";
import { timeOfId } from "../format/id.ts";
import { formatControlLine } from "../format/control-line.ts";
import type { WriteStatus } from "./storage.ts";

/** One line on its way to the storage. */
export interface PendingLine {
  readonly line: string;
  /** Undefined for control lines. */
  readonly id: string | undefined;
  /** UTF-8 bytes of the line. */
  readonly bytes: number;
}

interface Waiting extends PendingLine {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface LaneOptions {
  /** How many of the waiting lines, at least one, the next commit takes. */
  readonly take: (waiting: readonly PendingLine[]) => number;
  /** Makes these lines durable and sealed, all or none as far as anybody is told. */
  readonly commit: (lines: readonly PendingLine[]) => Promise<void>;
  /**
   * Leaves the first waiting line waiting for company so many milliseconds, unless there are lines and bytes enough.
   * @default no delay
   */
  readonly company?: {
    readonly delayMs: number;
    readonly isEnough: (lines: number, bytes: number) => boolean;
  };
}

/** Entries that were not written and that no durable `loss` line tells of yet. */
interface Unrecorded {
  entries: number;
  /** Milliseconds since the epoch. */
  readonly from: number;
  to: number;
  readonly reason: string;
}

/** The only mutable state of writing: a queue, and one commit at a time. */
export class WriteLane {
  readonly #options: LaneOptions;
  #waiting: Waiting[] = [];
  #pendingBytes = 0;
  #inCommit = 0;
  #commitDue = false;
  #tail: Promise<void> = Promise.resolve();
  /** The latest line's promise: lines settle in their order. */
  #newest: Promise<void> = Promise.resolve();
  #lost = 0;
  #unrecorded: Unrecorded | undefined;
  #lastError: Error | undefined;
  #closing: Promise<void> | undefined;
  /** Ends the wait for company. */
  #hurry: (() => void) | undefined;
  /** Calls of `flush()` that wait. */
  #flushing = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Queues a line; settles with the commit that takes it. */
  append(line: string, id: string | undefined): Promise<void> {
    if (this.#closing)
      return Promise.reject(new AuditWriteError("AUDIT_CLOSED", "the storage is closed"));
    const bytes = Buffer.byteLength(line);
    this.#pendingBytes += bytes;
    const written = new Promise<void>((resolve, reject) =>
      this.#waiting.push({ line, id, bytes, resolve, reject }),
    );
    this.#newest = written;
    // One microtask later: what is appended in the same tick shares the first commit.
    this.#commitWaiting();
    if (this.#hasEnough()) this.#hurry?.();
    return written;
  }

  /** Runs `task` when nothing is being committed, before any later commit. */
  exclusive(task: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(task);
    this.#tail = done.catch(() => undefined); // `done` carries the error to whoever asked
    return done;
  }

  /** Counts an entry that will not be written; a `loss` line goes with the next commit. */
  lose(id: string, reason: string): void {
    const time = timeOfId(id) ?? Date.now();
    this.#lost += 1;
    this.#unrecorded ??= { entries: 0, from: time, to: time, reason };
    this.#unrecorded.entries += 1;
    this.#unrecorded.to = time;
  }

  status(): WriteStatus {
    return {
      pending: this.#waiting.length + this.#inCommit,
      pendingBytes: this.#pendingBytes,
      lost: this.#lost,
      lastError: this.#lastError,
    };
  }

  /** Lines that others append meanwhile do not hold it up. */
  async flush(): Promise<void> {
    this.#flushing += 1;
    this.#hurry?.();
    await this.#newest.catch(() => undefined); // whoever appended the line has the error
    this.#flushing -= 1;
  }

  /**
   * Refuses further lines, commits those that wait and a due `loss` line, then runs `release`. Idempotent. Rejects
   * with an `AuditWriteError` when the last lines could not be written.
   */
  close(release: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#close(release);
    return this.#closing;
  }

  async #close(release: () => Promise<void>): Promise<void> {
    await this.flush();
    try {
      await this.exclusive(async () => {
        try {
          if (this.#unrecorded) await this.#commit([]);
        } finally {
          await release();
        }
      });
    } catch (error) {
      throw asWriteError(error);
    }
  }

  /** One commit at a time in the queue, so that `exclusive` tasks get their turn under a steady stream of lines. */
  #commitWaiting(): void {
    if (this.#commitDue || this.#waiting.length === 0) return;
    this.#commitDue = true;
    void this.exclusive(async () => {
      await this.#waitForCompany();
      const batch = this.#waiting.splice(0, this.#options.take(this.#waiting));
      this.#commitDue = false;
      this.#commitWaiting();
      await this.#commitBatch(batch);
    });
  }

  async #waitForCompany(): Promise<void> {
    const { company } = this.#options;
    if (!company || this.#flushing > 0 || this.#hasEnough()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, company.delayMs);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#hurry = undefined;
  }

  #hasEnough(): boolean {
    return this.#options.company?.isEnough(this.#waiting.length, this.#pendingBytes) === true;
  }

  async #commitBatch(batch: readonly Waiting[]): Promise<void> {
    this.#inCommit = batch.length;
    let failure: Error | undefined;
    try {
      await this.#commit(batch);
    } catch (error) {
      failure = asWriteError(error);
      for (const { id } of batch) if (id !== undefined) this.lose(id, failure.message);
    }
    this.#inCommit = 0;
    this.#lastError = failure;
    for (const { bytes, resolve, reject } of batch) {
      this.#pendingBytes -= bytes;
      if (failure) reject(failure);
      else resolve();
    }
  }

  async #commit(batch: readonly PendingLine[]): Promise<void> {
    const told = this.#unrecorded;
    if (!told) return this.#options.commit(batch);
    const { entries, from, to, reason } = told;
    const line = formatControlLine({
      type: "loss",
      entries,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      reason,
    });
    await this.#options.commit([{ line, id: undefined, bytes: Buffer.byteLength(line) }, ...batch]);
    // Counted further while the commit ran: what it did not tell of stays due.
    this.#unrecorded =
      told.entries > entries ? { ...told, entries: told.entries - entries } : undefined;
  }
}

function asWriteError(error: unknown): Error {
  if (error instanceof AuditWriteError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AuditWriteError("AUDIT_WRITE_FAILED", `not written: ${reason}`, { cause: error });
}
