// A model, tool or retriever call between its start and its one end.
import type { CapturedFields, RecordedCall } from "@ai-audit/core/capture";
import { PartialAnswer } from "./partial.ts";
import type { RunContext } from "./runs.ts";
import { unfinishedOutcome } from "./failure.ts";
import { elapsedMs } from "@ai-audit/core/capture";

/** A call that has begun. */
export class OpenRun {
  readonly context: RunContext;
  readonly partial: PartialAnswer = new PartialAnswer();
  readonly provider: string;
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
    described: CapturedFields,
    { signal, batchSize }: { signal: unknown; batchSize: number },
  ) {
    this.context = context;
    this.provider = described.provider ?? "langchain";
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
