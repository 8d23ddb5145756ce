// One call that two layers capture (an AI framework over an audited client) is linked, so that it counts once.
import { hash } from "node:crypto";
import { canonicalJson, toJson } from "../format/canonical.ts";
import type { CapturedFields } from "./fields.ts";

/** What a wrapper wraps: the provider's own client, or a framework that may sit on one. */
export type CallLayer = "client" | "framework";

/** How an entry came about. */
export interface CaptureOrigin {
  readonly layer: CallLayer;
  /** What ended the call: the error as its caller gets it, or the caller's `AbortSignal` once it has fired. */
  readonly cause?: unknown;
}

interface Seen {
  readonly layer: CallLayer;
  /** Of the input of a call that was aborted or timed out; undefined otherwise. */
  readonly inputHash: string | undefined;
  /** The entry's id once it is written; undefined when it could not be. */
  readonly id: Promise<string | undefined>;
  /** On the clock of `performance.now()`. */
  readonly endedAt: number;
}

/** Ids waiting for their other half. A call's two ends are milliseconds apart, so the oldest are safe to forget. */
const MAX_WAITING = 1000;

/** Layers that make an error of their own of a time-out tell of it one after the other, the second once the first is durable. */
const TIMEOUT_WINDOW_MS = 10_000;

/**
 * Pairs entries of the two layers: by response id, by request id, because the same error object or the same
 * abort signal ended both, or because both timed out at the same time. Many calls may share a signal or a limit, so
 * there the inputs must be the same as well. Each entry is paired at most once, and only with one whose call was going
 * on at the same time, so a server that repeats its ids does not swallow calls.
 */
export class CallPairs {
  readonly #byId = new Map<string, Seen>();
  readonly #byCause = new WeakMap<object, readonly Seen[]>();
  #timedOut: readonly Seen[] = [];

  /** The entry of the other layer that records the same call; it is not offered again. */
  take(fields: CapturedFields, origin: CaptureOrigin): Promise<string | undefined> | undefined {
    const seen = this.#find(fields, origin);
    if (seen && this.#timedOut.length > 0)
      this.#timedOut = this.#timedOut.filter(({ id }) => id !== seen.id);
    return seen?.id;
  }

  #find(fields: CapturedFields, { layer, cause }: CaptureOrigin): Seen | undefined {
    const now = performance.now();
    const begunAt = now - (fields.latencyMs ?? Number.POSITIVE_INFINITY);
    for (const key of keysOf(fields)) {
      const seen = this.#byId.get(key);
      if (seen === undefined || seen.layer === layer || seen.endedAt < begunAt) continue;
      this.#byId.delete(key);
      return seen;
    }
    const inputHash = hashOfUnanswered(fields, cause);
    const isTwin = (one: Seen): boolean => one.layer !== layer && one.inputHash === inputHash;
    for (const object of causesOf(cause)) {
      const waiting = this.#byCause.get(object) ?? [];
      const seen = waiting.find(isTwin);
      if (seen === undefined) continue;
      this.#byCause.set(
        object,
        waiting.filter((one) => one !== seen),
      );
      return seen;
    }
    if (fields.outcome !== "timeout") return undefined;
    return this.#timedOut.find((one) => one.endedAt >= now - TIMEOUT_WINDOW_MS && isTwin(one));
  }

  /** Offers an entry that is being written to the other layer: an abort reaches both at once. */
  offer(written: Promise<string>, fields: CapturedFields, { layer, cause }: CaptureOrigin): void {
    const id = written.catch(() => undefined); // whoever writes it is told
    const seen = {
      layer,
      id,
      inputHash: hashOfUnanswered(fields, cause),
      endedAt: performance.now(),
    };
    if (fields.outcome === "timeout")
      this.#timedOut = [...this.#timedOut, seen].slice(-MAX_WAITING);
    for (const key of keysOf(fields)) {
      this.#byId.delete(key); // so that it counts as new
      this.#byId.set(key, seen);
    }
    for (const object of causesOf(cause)) {
      this.#byCause.set(object, [...(this.#byCause.get(object) ?? []), seen].slice(-MAX_WAITING));
    }
    for (const oldest of this.#byId.keys()) {
      if (this.#byId.size <= MAX_WAITING) break;
      this.#byId.delete(oldest);
    }
  }
}

function keysOf({ responseId, requestId }: CapturedFields): string[] {
  const keys: string[] = [];
  if (responseId) keys.push(`response ${responseId}`);
  if (requestId) keys.push(`request ${requestId}`);
  return keys;
}

function hashOfUnanswered({ input, outcome }: CapturedFields, cause: unknown): string | undefined {
  const isUnanswered = cause instanceof AbortSignal || outcome === "timeout";
  return isUnanswered ? hash("sha256", canonicalJson(toJson(input))) : undefined;
}

/** The error and what caused it: frameworks wrap what the client threw. */
function* causesOf(error: unknown): Generator<object> {
  for (let depth = 0; depth < 5 && typeof error === "object" && error !== null; depth++) {
    yield error;
    error = "cause" in error ? error.cause : undefined;
  }
}
