// A DuckDB in memory that can be closed at any time. DuckDB itself crashes when a connection closes
// while it is in use.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { AuditError, missingPeer, withClass } from "../errors.ts";

/** An interrupt that comes before DuckDB has begun a step is lost: it is repeated. */
const INTERRUPT_AGAIN_MS = 20;

export class Database {
  readonly #instance: DuckDBInstance;
  readonly #spill: string;
  readonly #connections = new Set<DuckDBConnection>();
  readonly #steps = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  private constructor(instance: DuckDBInstance, spill: string) {
    this.#instance = instance;
    this.#spill = spill;
  }

  /**
   * Data that does not fit into memory goes to a directory that only this user can read, until
   * `close()`. DuckDB's own choice would be `.tmp` in the working directory.
   *
   * @param memoryBytes its memory limit; undefined for its own choice, 80 % of the machine's
   */
  static async open(memoryBytes: number | undefined): Promise<Database> {
    const { DuckDBInstance } = await importDuckDb();
    const spill = await mkdtemp(join(tmpdir(), "ai-audit-sql-"));
    const limit = memoryBytes === undefined ? undefined : { memory_limit: `${memoryBytes}B` };
    return new Database(
      await DuckDBInstance.create(":memory:", { temp_directory: spill, ...limit }),
      spill,
    );
  }

  /**
   * The directory for data that does not fit into memory. Other files put there are removed with
   * it.
   */
  get spill(): string {
    return this.#spill;
  }

  /**
   * A connection for one statement: a result that streams ends when its connection takes the next
   * one.
   */
  async connect(): Promise<DuckDBConnection> {
    return this.step(async () => {
      const connection = await this.#instance.connect();
      this.#connections.add(connection);
      return connection;
    });
  }

  disconnect(connection: DuckDBConnection): void {
    if (this.#connections.delete(connection)) connection.closeSync();
  }

  /** @throws `AUDIT_CLOSED` */
  assertOpen(): void {
    if (this.#closing) throw closedError();
  }

  /**
   * Runs every use of DuckDB, so that `close()` can wait for it.
   * @throws `AUDIT_READ_FAILED` with DuckDB's reason, `AUDIT_CLOSED`
   */
  async step<T>(work: () => Promise<T>): Promise<T> {
    this.assertOpen();
    const running = work();
    this.#steps.add(running);
    try {
      return await running;
    } catch (cause) {
      if (AuditError.isInstance(cause)) throw cause;
      throw this.#closing ? closedError(cause) : readError(cause);
    } finally {
      this.#steps.delete(running);
    }
  }

  /** Interrupts running statements, waits until DuckDB has released them, and ends. Idempotent. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    while (this.#steps.size > 0) {
      for (const connection of this.#connections) connection.interrupt();
      await Promise.race([Promise.allSettled(this.#steps), delay(INTERRUPT_AGAIN_MS)]);
    }
    for (const connection of this.#connections) this.disconnect(connection);
    this.#instance.closeSync();
    await rm(this.#spill, { recursive: true, force: true });
  }
}

/** @throws `AUDIT_CONFIG_INVALID` when it is not installed */
export async function importDuckDb(): Promise<typeof import("@duckdb/node-api")> {
  try {
    return withClass(await import("@duckdb/node-api"), "DuckDBInstance");
  } catch (cause) {
    throw missingPeer("@duckdb/node-api", cause);
  }
}

function closedError(cause?: unknown): AuditError {
  return new AuditError("AUDIT_CLOSED", "AuditSql is closed", { cause });
}

function readError(cause: unknown): AuditError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AuditError("AUDIT_READ_FAILED", `DuckDB: ${reason}`, { cause });
}
