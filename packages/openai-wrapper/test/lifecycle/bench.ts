// A server, a log and a client for the tests of what becomes of a call.
import { type AuditEntry, AuditLogger, type AuditStorage, MemoryStorage } from "@ai-audit/core";
import type { OpenAI } from "openai";
import { onTestFinished } from "vitest";
import { AuditedOpenAI, type AuditOptions } from "../../src/index.ts";
import { type Reply, WireServer } from "@ai-audit/test-support/wire-server";

/** A storage whose writes can be made to fail or to hang. All else is the memory's. */
export class FaultyStorage extends MemoryStorage {
  fault: "none" | "fail" | "hang" = "none";
  readonly #hanging: (() => void)[] = [];

  override async append(line: string, id?: string): Promise<void> {
    if (this.fault === "fail") throw new Error("ENOSPC: no space left on device");
    if (this.fault === "hang") await new Promise<void>((resolve) => this.#hanging.push(resolve));
    return super.append(line, id);
  }

  /** Works again, also for what hangs. */
  repair(): void {
    this.fault = "none";
    for (const resume of this.#hanging) resume();
  }
}

export interface LifecycleBench {
  readonly server: WireServer;
  readonly storage: FaultyStorage;
  readonly logger: AuditLogger;
  readonly client: OpenAI;
  /** Entries so far, oldest first, once calls that nobody waits for are written. */
  readonly entries: () => Promise<AuditEntry[]>;
}

/** Released when the test ends. */
export async function lifecycleBench(
  replies: readonly Reply[],
  audit: Omit<AuditOptions, "logger"> = {},
): Promise<LifecycleBench> {
  const server = await WireServer.start();
  server.script(...replies);
  const storage = new FaultyStorage();
  const logger = new AuditLogger(storage satisfies AuditStorage, { storeContent: true });
  onTestFinished(async () => {
    storage.repair();
    await logger.close();
    await server[Symbol.asyncDispose]();
  });
  const client = new AuditedOpenAI({
    apiKey: "sk-secret-key-0123456789",
    baseURL: server.baseURL,
    maxRetries: 0,
    audit: { logger, ...audit },
  });
  return {
    server,
    storage,
    logger,
    client,
    entries: async () => {
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      return Array.fromAsync(logger.entries());
    },
  };
}

export const hello = { model: "gpt-5", messages: [{ role: "user" as const, content: "Hello!" }] };

/** An entry's error with its message, which the log keeps as content. */
export function errorIn(
  logger: AuditLogger,
  entry: AuditEntry | undefined,
): AuditEntry["error"] | undefined {
  if (entry?.error === undefined) return undefined;
  const { errorMessage } = logger.content(entry).diagnostics ?? {};
  return { ...entry.error, ...(errorMessage !== undefined && { message: errorMessage }) };
}
