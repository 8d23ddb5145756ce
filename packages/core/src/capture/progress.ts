// Measurements of a call: attempts and times, on the monotonic clock.
import type { GrowingFields } from "./fields.ts";
import { elapsedMs } from "../time.ts";

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

  /**
   * An event of a stream arrived. `contentSeen`: it, or an earlier one, held content of the model.
   */
  event(contentSeen: boolean): void {
    const now = this.#elapsedMs();
    this.#firstEventMs ??= now;
    if (contentSeen) this.#firstContentMs = now;
  }

  /** The entry's fields so far. */
  fields(streamed: boolean): GrowingFields {
    const fields: GrowingFields = { attempts: this.#attempts };
    if (this.#sentAt !== undefined) fields.latencyMs = this.#elapsedMs();
    if (this.requestId !== undefined) fields.requestId = this.requestId;
    if (streamed) fields.streamed = true;
    if (this.#firstContentMs !== undefined) fields.timeToFirstTokenMs = this.#firstContentMs;
    if (this.#firstEventMs !== undefined)
      fields.metadata = { time_to_first_event_ms: this.#firstEventMs };
    return fields;
  }

  #elapsedMs(): number {
    return elapsedMs(this.#sentAt ?? 0);
  }
}
