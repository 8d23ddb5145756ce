// What is measured of a call: attempts and times, on the monotonic clock.
import type { CapturedFields } from "@ai-audit/core";

/** Attempts, latency, time to the first event and to the first content. */
export class CallProgress {
  #attempts = 0;
  #sentAt: number | undefined;
  #firstEventMs: number | undefined;
  #firstContentMs: number | undefined;
  /** Of the latest response. */
  requestId: string | undefined;

  /** An HTTP attempt is made; time runs from the first one. */
  attempt(): void {
    this.#attempts += 1;
    this.#sentAt ??= performance.now();
  }

  /** The time of the first content is known: events are measured no more. */
  get contentSeen(): boolean {
    return this.#firstContentMs !== undefined;
  }

  /** An event of a stream arrived. `contentSeen`: it, or one before it, held something the model said. */
  event(contentSeen: boolean): void {
    const now = this.#elapsedMs();
    this.#firstEventMs ??= now;
    if (contentSeen) this.#firstContentMs = now;
  }

  /** The entry's fields so far. */
  fields(streamed: boolean): CapturedFields {
    const [firstEventMs, firstContentMs] = [this.#firstEventMs, this.#firstContentMs];
    return {
      attempts: this.#attempts,
      ...(this.#sentAt !== undefined && { latencyMs: this.#elapsedMs() }),
      ...(this.requestId !== undefined && { requestId: this.requestId }),
      ...(streamed && { streamed }),
      ...(firstContentMs !== undefined && { timeToFirstTokenMs: firstContentMs }),
      ...(firstEventMs !== undefined && { metadata: { time_to_first_event_ms: firstEventMs } }),
    };
  }

  #elapsedMs(): number {
    return Math.round((performance.now() - (this.#sentAt ?? 0)) * 1000) / 1000;
  }
}
