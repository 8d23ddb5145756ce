// Watches a stream of events as it passes: the SDK's own iterator, with its methods passing through
// here.
import type { AuditedCall } from "./audited-call.ts";
import { type Watcher, watchIterator } from "./watch-iterator.ts";

/**
 * The SDK's `Stream`, as far as it matters here. `iterator` is internal to it, and the same in all
 * its versions.
 */
interface EventStream extends AsyncIterable<unknown> {
  readonly controller: AbortController;
  iterator: () => AsyncIterator<unknown>;
}

export function isEventStream(value: unknown): value is EventStream {
  return (
    typeof value === "object" &&
    value !== null &&
    Symbol.asyncIterator in value &&
    "controller" in value &&
    typeof value.controller === "object" &&
    "iterator" in value &&
    typeof value.iterator === "function"
  );
}

/**
 * The same stream object, otherwise unchanged. Each event is passed on after it was read; only the
 * end waits, in fail-closed mode, for the entry.
 */
export function tapStream(stream: EventStream, call: AuditedCall): void {
  call.collect();
  call.watch(stream);
  const { controller } = stream;
  const iterate = stream.iterator.bind(stream);
  let first = true;
  stream.iterator = () => {
    const iterator = iterate();
    if (!first) return iterator; // the SDK refuses to iterate twice, and says so at the first next()
    first = false;
    call.reader = "sdk";
    call.watch(iterator); // the stream object may be forgotten while it is being read
    watchIterator(iterator, new EventWatcher(call, controller.signal));
    return iterator;
  };
}

class EventWatcher implements Watcher {
  readonly #call: AuditedCall;
  readonly #signal: AbortSignal;

  constructor(call: AuditedCall, signal: AbortSignal) {
    this.#call = call;
    this.#signal = signal;
  }

  get open(): boolean {
    return this.#call.open;
  }

  value(event: unknown): void {
    this.#call.event(event);
  }

  /** An abort ends the iteration without an error: only the signal shows it. */
  end(stopped: boolean): Promise<void> {
    return this.#call.finish(stopped || this.#signal.aborted);
  }

  fail(error: unknown): Promise<unknown> {
    return this.#call.fail(error);
  }
}
