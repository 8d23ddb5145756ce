// A model, tool or retriever call between its start and its one end.
import type { CapturedFields, RecordedCall } from "@ai-audit/core/capture";
import type { Destination } from "./destination.ts";
import { PartialAnswer } from "./partial.ts";
import type { RunContext } from "./runs.ts";
import { unfinishedOutcome } from "./failure.ts";
import { elapsedMs } from "@ai-audit/core/capture";

/** Facts about the package of a model that are needed at its end. */
export type ModelHost = Pick<Destination, "vendor" | "givesReasons">;

/** A call that has begun. */
export class OpenRun {
  readonly context: RunContext;
  readonly partial: PartialAnswer = new PartialAnswer();
  /** The vendor of codes that no safety table lists. */
  readonly vendor: string;
  /** LangChain passes on why this model's streams end. */
  readonly givesReasons: boolean;
  /** Prompts of the one legacy `generate()` this call is part of. */
  readonly batchSize: number;
  readonly #startedAt: number = performance.now();
  /**
   * Weak: the signal's listeners reach the stream, which must be collectable once it has no reader.
   */
  readonly #signal: WeakRef<AbortSignal> | undefined;
  /** Resolves when the call may be sent; with `intent` not at once. */
  started: RecordedCall | Promise<RecordedCall> | undefined;

  constructor(
    context: RunContext,
    {
      signal,
      batchSize,
      vendor = "langchain",
      givesReasons = false,
    }: { signal: unknown; batchSize: number } & Partial<ModelHost>,
  ) {
    this.context = context;
    this.vendor = vendor;
    this.givesReasons = givesReasons;
    this.batchSize = batchSize;
    this.#signal = signal instanceof AbortSignal ? new WeakRef(signal) : undefined;
  }

  /** The signal the caller gave, while it exists. */
  get signal(): AbortSignal | undefined {
    return this.#signal?.deref();
  }

  /** Milliseconds since the call began. */
  get elapsedMs(): number {
    return elapsedMs(this.#startedAt);
  }

  /** The fields of a call without an end. Its duration is known up to its last token only. */
  unfinished(rootError?: unknown): CapturedFields {
    return {
      ...this.partial.fields(),
      latencyMs: this.partial.lastMs,
      outcome: unfinishedOutcome(this.signal, rootError),
    };
  }
}
