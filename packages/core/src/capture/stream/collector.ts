// Streams of a response, event by event. No payload may throw into the caller or cost the call its
// entry.
import { type CapturedFields, type GrowingFields, mergeFields } from "../fields.ts";
import { nameOf } from "../payload/read.ts";

/** Takes in the events of one streamed response. Copies what it keeps. */
export interface StreamCollector {
  /** Never throws; unreadable events are named in the entry's alerts. */
  push(event: unknown): void;
  /**
   * The provider said that the answer is complete: a finish reason for every choice, or a terminal
   * event.
   */
  readonly terminal: boolean;
  /**
   * The fields that a stream adds if it ends before that. The outcome is the wrapper's to give:
   * `error`, or `aborted` where the reader left. @default the error `TruncatedStream`
   */
  readonly unended?: CapturedFields;
  /** Content of the model, other than a role or an id, has arrived. */
  readonly firstContentSeen: boolean;
  /** The fields so far: a partial output counts. Never throws. */
  result(): CapturedFields;
}

/** The fields, or an alert in their place, without an outcome. */
export function guarded(what: string, extract: () => CapturedFields): GrowingFields {
  try {
    return extract();
  } catch (error) {
    return { alerts: [unreadable(what, error)] };
  }
}

function unreadable(what: string, error: unknown): string {
  // The error's name alone: its message may quote the payload.
  return `ai-audit: the ${what} could not be read (${nameOf(error)})`;
}

const TRUNCATED: CapturedFields = {
  error: { type: "TruncatedStream", message: "the stream ended without its terminal event" },
};

/** A collector that reports events that it could not read. */
export class GuardedCollector implements StreamCollector {
  readonly #collector: StreamCollector;
  #failures = 0;
  #firstFailure: string | undefined;

  constructor(collector: StreamCollector) {
    this.#collector = collector;
  }

  get terminal(): boolean {
    return this.#collector.terminal;
  }

  get unended(): CapturedFields {
    return this.#collector.unended ?? TRUNCATED;
  }

  get firstContentSeen(): boolean {
    return this.#collector.firstContentSeen;
  }

  push(event: unknown): void {
    try {
      this.#collector.push(event);
    } catch (error) {
      this.#failures += 1;
      this.#firstFailure ??= unreadable("stream's event", error);
    }
  }

  result(): CapturedFields {
    const fields = guarded("streamed response", () => this.#collector.result());
    if (this.#firstFailure === undefined) return fields;
    return mergeFields(fields, {
      alerts: [`${this.#firstFailure}; events in all: ${this.#failures}`],
    });
  }
}
