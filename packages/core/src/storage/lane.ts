// The write lane: group commit. Lines that arrive while one commit runs share the next.
import { clearTimeout, setTimeout } from "node:timers"; // a caller's test may have stopped the global ones
import { AuditWriteError } from "../errors.ts";
import type { PendingLine } from "./commit.ts";
import { Losses } from "./losses.ts";
import type { WriteStatus } from "./storage.ts";
import { UncertainWrite, UntriedWrite } from "./write-failure.ts";

interface Waiting extends PendingLine {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface LaneOptions {
  /** The number of waiting lines that the next commit takes, at least one. */
  readonly take: (waiting: readonly PendingLine[]) => number;
  /**
   * Makes these lines durable and sealed: all of them, or it rejects. Rejects with `UncertainWrite`
   * where they may be there anyway, with `UntriedWrite` where no write was tried.
   */
  readonly commit: (lines: readonly PendingLine[]) => Promise<void>;
  /**
   * Delays a commit by `delayMs` so that more lines can share it, unless there are enough lines or
   * bytes.
   * @default no delay
   */
  readonly company?: {
    readonly delayMs: number;
    readonly isEnough: (lines: number, bytes: number) => boolean;
  };
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
  readonly #losses = new Losses();
  #lastError: Error | undefined;
  #closing: Promise<void> | undefined;
  /** Ends the wait for further lines. */
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
    // One microtask later: lines appended in the same tick share the first commit.
    this.#commitWaiting();
    if (this.#hasEnough()) this.#hurry?.();
    return written;
  }

  /** Runs `task` when nothing is being committed, before any later commit. */
  exclusive(task: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(task);
    this.#tail = done.catch(() => undefined); // `done` carries the error to the caller
    return done;
  }

  /** Counts an entry that will not be written; a `loss` line goes with the next commit. */
  lose(id: string, reason: string): void {
    this.#losses.add(id, reason);
  }

  /**
   * Takes back the loss of a commit that began with this entry: its write succeeded after the
   * time-out.
   */
  withdrawLoss(firstId: string): void {
    this.#losses.withdraw(firstId);
  }

  status(): WriteStatus {
    return {
      pending: this.#waiting.length + this.#inCommit,
      pendingBytes: this.#pendingBytes,
      lost: this.#losses.total,
      lastError: this.#lastError,
    };
  }

  /** Does not wait for lines that are appended meanwhile. */
  async flush(): Promise<void> {
    this.#flushing += 1;
    this.#hurry?.();
    await this.#newest.catch(() => undefined); // the caller of append() has the error
    this.#flushing -= 1;
  }

  /**
   * Refuses further lines, commits those that wait and a due `loss` line, then runs `release`.
   * Idempotent. Rejects with an `AuditWriteError` when the last lines could not be written.
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
          if (this.#losses.lines().length > 0) await this.#commit([]);
        } finally {
          await release();
        }
      });
    } catch (error) {
      throw asWriteError(error);
    }
  }

  /**
   * One commit at a time in the queue, so that `exclusive` tasks get their turn under a steady
   * stream of lines.
   */
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
    let failure: AuditWriteError | undefined;
    try {
      await this.#commit(batch);
    } catch (error) {
      failure = asWriteError(error);
      const isCertain =
        !(error instanceof UncertainWrite) && failure.code !== "AUDIT_WRITE_TIMEOUT";
      for (const { id } of batch)
        if (id !== undefined) this.#losses.add(id, failure.message, isCertain);
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
    const losses = this.#losses.lines();
    const lines = losses.map((line) => ({ line, id: undefined, bytes: Buffer.byteLength(line) }));
    try {
      await this.#options.commit([...lines, ...batch]);
    } catch (error) {
      if (error instanceof UntriedWrite) this.#losses.release(losses);
      throw error;
    }
    this.#losses.noteWritten(losses);
  }
}

function asWriteError(error: unknown): AuditWriteError {
  if (error instanceof UncertainWrite || error instanceof UntriedWrite)
    return asWriteError(error.cause);
  if (error instanceof AuditWriteError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AuditWriteError("AUDIT_WRITE_FAILED", `not written: ${reason}`, { cause: error });
}
