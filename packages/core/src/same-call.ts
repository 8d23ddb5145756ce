// One call that two layers capture (an AI framework over an audited client) is linked, so that it counts once.
import type { CapturedFields } from "./capture.ts";

/** What a wrapper wraps: the provider's own client, or a framework that may sit on one. */
export type CallLayer = "client" | "framework";

/** How an entry came about. */
export interface CaptureOrigin {
  readonly layer: CallLayer;
  /** The error that ended the call. */
  readonly cause?: unknown;
}

interface Seen {
  readonly layer: CallLayer;
  /** The entry's id once it is written; undefined when it could not be. */
  readonly id: Promise<string | undefined>;
}

/** Ids waiting for their other half. A call's two ends are milliseconds apart, so the oldest are safe to forget. */
const MAX_WAITING = 1000;

/**
 * Pairs entries of the two layers: by response id, by request id, or because both ended with the same error
 * object. Each entry is paired at most once, so a server that repeats its ids does not swallow calls.
 */
export class CallPairs {
  readonly #byId = new Map<string, Seen>();
  readonly #byError = new WeakMap<object, Seen>();

  /** The entry of the other layer that records the same call; it is not offered again. */
  take(
    { responseId, requestId }: CapturedFields,
    { layer, cause }: CaptureOrigin,
  ): Promise<string | undefined> | undefined {
    for (const key of keysOf(responseId, requestId)) {
      const seen = this.#byId.get(key);
      if (seen === undefined || seen.layer === layer) continue;
      this.#byId.delete(key);
      return seen.id;
    }
    for (const error of causesOf(cause)) {
      const seen = this.#byError.get(error);
      if (seen === undefined || seen.layer === layer) continue;
      this.#byError.delete(error);
      return seen.id;
    }
    return undefined;
  }

  /** Offers an entry that is being written to the other layer: an abort reaches both at once. */
  offer(written: Promise<string>, { responseId, requestId }: CapturedFields, { layer, cause }: CaptureOrigin): void {
    const id = written.catch(() => undefined); // whoever writes it is told
    const seen = { layer, id };
    for (const key of keysOf(responseId, requestId)) {
      this.#byId.delete(key); // so that it counts as new
      this.#byId.set(key, seen);
    }
    for (const error of causesOf(cause)) this.#byError.set(error, seen);
    for (const oldest of this.#byId.keys()) {
      if (this.#byId.size <= MAX_WAITING) break;
      this.#byId.delete(oldest);
    }
  }
}

function keysOf(responseId: string | undefined, requestId: string | undefined): string[] {
  const keys: string[] = [];
  if (responseId) keys.push(`response ${responseId}`);
  if (requestId) keys.push(`request ${requestId}`);
  return keys;
}

/** The error and what caused it: frameworks wrap what the client threw. */
function* causesOf(error: unknown): Generator<object> {
  for (let depth = 0; depth < 5 && typeof error === "object" && error !== null; depth++) {
    yield error;
    error = "cause" in error ? error.cause : undefined;
  }
}
