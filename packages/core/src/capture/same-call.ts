// One call that two layers capture (a framework over an audited client) is linked, and counts once.
import { RecentMap } from "../bounded-map.ts";
import type { CapturedFields } from "./fields.ts";
import type { RunScope } from "./run-scope.ts";

/** The layer of a wrapper: the provider's client, or a framework that may sit on one. */
export type CallLayer = "client" | "framework";

/** The origin of an entry. */
export interface CaptureOrigin {
  readonly layer: CallLayer;
  /** The run that the call is part of. */
  readonly within?: RunScope | undefined;
}

interface Half {
  readonly layer: CallLayer;
  readonly keys: readonly string[];
  /** The entry's id once it is written; undefined when it could not be. */
  readonly id: Promise<string | undefined>;
  /** On the clock of `performance.now()`. */
  readonly endedAt: number;
}

/** Entries that wait for their other half. The two ends of a call are milliseconds apart. */
const MAX_WAITING = 1000;

/**
 * Pairs the entries of the two layers by response id or request id alone: a call that ends without
 * either leaves two entries. Each entry is paired at most once, and only with one whose call was
 * going on at the same time, so a server that repeats its ids does not swallow calls.
 */
export class CallPairs {
  readonly #byId = new RecentMap<string, Half>(MAX_WAITING);

  /** The entry of the other layer that records the same call. It is not offered again. */
  take(fields: CapturedFields, { layer }: CaptureOrigin): Promise<string | undefined> | undefined {
    const begunAt = performance.now() - (fields.latencyMs ?? Number.POSITIVE_INFINITY);
    for (const key of keysOf(fields)) {
      const half = this.#byId.get(key);
      if (half === undefined || half.layer === layer || half.endedAt < begunAt) continue;
      for (const one of half.keys) this.#byId.delete(one);
      return half.id;
    }
    return undefined;
  }

  /** Offers an entry that is being written to the other layer. */
  offer(written: Promise<string>, fields: CapturedFields, { layer }: CaptureOrigin): void {
    const id = written.catch(() => undefined); // the writer is told
    const keys = keysOf(fields);
    const half = { layer, keys, id, endedAt: performance.now() };
    for (const key of keys) this.#byId.set(key, half);
  }
}

function keysOf({ responseId, requestId }: CapturedFields): string[] {
  const keys: string[] = [];
  if (responseId) keys.push(`response ${responseId}`);
  if (requestId) keys.push(`request ${requestId}`);
  return keys;
}
