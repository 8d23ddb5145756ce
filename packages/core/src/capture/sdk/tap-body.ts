// Watches a raw body as it passes: a download, or events that the caller parses.
import type { AuditedCall } from "./audited-call.ts";
import { BodyPieces } from "../stream/body.ts";
import { receiveBody } from "./receive-body.ts";
import { type Watcher, failWith, lookAt, watchIterator } from "./watch-iterator.ts";

const tapped = new WeakSet<object>();

/** Ties the lifetime of the watched object to the body's. */
const LIFE = Symbol("ai-audit.sdk.life-of-body");

/** Node's reason for cancelling a body whose response was garbage-collected. */
const FORGOTTEN = "Response object has been garbage collected";

/**
 * Puts the ways to read this one stream through the call: iteration, readers, and the pipes. Only
 * bytes that its reader asks for are read.
 *
 * @param life the object to watch instead of the body, where a clone of its response may be read as
 * well
 */
export function tapBody(
  body: ReadableStream<Uint8Array>,
  type: string,
  call: AuditedCall,
  life?: object,
): void {
  if (tapped.has(body)) return;
  tapped.add(body);
  if (life) define(body, LIFE, life);
  else call.watch(body);
  const watcher = new BodyWatcher(call, type);
  const iterate = body.values.bind(body);
  const values = (...args: Parameters<typeof iterate>): ReturnType<typeof iterate> => {
    const iterator = iterate(...args);
    watchIterator(iterator, watcher);
    return iterator;
  };
  define(body, "values", values);
  define(body, Symbol.asyncIterator, values);
  const getReader: unknown = Reflect.get(body, "getReader");
  if (typeof getReader === "function") {
    define(body, "getReader", (...args: readonly unknown[]) => {
      const reader: unknown = Reflect.apply(getReader, body, args);
      if (isReader(reader)) tapReader(reader, watcher);
      return reader;
    });
  }
  const cancel = body.cancel.bind(body);
  define(body, "cancel", (reason?: unknown) => watcher.cancelled(cancel(reason), reason));
  for (const name of ["pipeTo", "pipeThrough", "tee"] as const) {
    const method: unknown = Reflect.get(body, name);
    if (typeof method !== "function") continue;
    define(
      body,
      name,
      (...args: readonly unknown[]) =>
        // A stream with another reader refuses, as it does without the audit.
        Reflect.apply(method, body.locked ? body : passedThrough(body), args) as unknown,
    );
  }
}

/** A stream of the same pieces, each of which is read when it is asked for. */
function passedThrough(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader(); // tapped as every reader is
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read(); // a rejection errors the stream
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

interface Reader {
  read: (
    ...args: readonly unknown[]
  ) => Promise<{ readonly done: boolean; readonly value?: unknown }>;
  cancel: (reason?: unknown) => Promise<void>;
}

function isReader(value: unknown): value is Reader {
  return typeof value === "object" && value !== null && "read" in value && "cancel" in value;
}

function tapReader(reader: Reader, watcher: BodyWatcher): void {
  const read = reader.read.bind(reader);
  const cancel = reader.cancel.bind(reader);
  define(reader, "read", (...args: readonly unknown[]) =>
    read(...args).then(lookAt(watcher), failWith(watcher)),
  );
  define(reader, "cancel", (reason?: unknown) => watcher.cancelled(cancel(reason)));
}

function define(target: object, name: string | symbol, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

/** Keeps the body up to the call's limit, and its digest beyond. */
class BodyWatcher implements Watcher {
  readonly #call: AuditedCall;
  readonly #type: string;
  readonly #pieces: BodyPieces;

  constructor(call: AuditedCall, type: string) {
    this.#call = call;
    this.#type = type;
    this.#pieces = new BodyPieces(call.maxContentBytes);
  }

  get open(): boolean {
    return this.#call.open;
  }

  value(value: unknown): void {
    if (value instanceof Uint8Array) this.#pieces.push(value);
  }

  async end(stopped: boolean): Promise<void> {
    // A clone of the response may be read to its end where this is not.
    if (!stopped || !this.#call.dropCopy())
      await receiveBody(this.#call, this.#pieces.end(this.#type), this.#type, stopped);
  }

  fail(error: unknown): Promise<unknown> {
    return this.#call.fail(error);
  }

  /** The reader cancelled. No data is left to withhold, and few callers await this. */
  async cancelled(cancelling: Promise<void>, reason?: unknown): Promise<void> {
    await cancelling;
    if (!this.open) return;
    if (reason === FORGOTTEN && !this.#call.hasCopies) this.#call.abandon();
    else await this.end(true).catch(() => undefined); // reported by the recorder
  }
}
