// Watching a raw body go by: a download, or events that the caller parses himself.
import type { AuditedCall } from "./audited-call.ts";
import { BodyPieces } from "./raw-body.ts";
import { loseBody, receiveBody } from "./receive-body.ts";
import { failWith, lookAt, type Watcher, watchIterator } from "./watch-iterator.ts";

const tapped = new WeakSet<object>();

/**
 * Puts the ways to read this one stream through the call. Nothing is read that the caller does not read: what he
 * hands to `pipeTo`, `pipeThrough` or `tee` leaves the sight of this process, and the entry says so.
 */
export function tapBody(body: ReadableStream<Uint8Array>, type: string, call: AuditedCall): void {
  if (tapped.has(body)) return;
  tapped.add(body);
  call.watch(body);
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
  define(body, "cancel", (reason?: unknown) => cancel(reason).then(() => watcher.stop()));
  for (const name of ["pipeTo", "pipeThrough", "tee"] as const) {
    const method: unknown = Reflect.get(body, name);
    if (typeof method !== "function") continue;
    define(body, name, (...args: readonly unknown[]) => {
      void loseBody(call, `the body was given to ${name}()`).catch(() => undefined); // reported by the recorder
      return Reflect.apply(method, body, args) as unknown;
    });
  }
}

interface Reader {
  read: (...args: readonly unknown[]) => Promise<{ readonly done: boolean; readonly value?: unknown }>;
  cancel: (reason?: unknown) => Promise<void>;
}

function isReader(value: unknown): value is Reader {
  return typeof value === "object" && value !== null && "read" in value && "cancel" in value;
}

function tapReader(reader: Reader, watcher: BodyWatcher): void {
  const read = reader.read.bind(reader);
  const cancel = reader.cancel.bind(reader);
  define(reader, "read", (...args: readonly unknown[]) => read(...args).then(lookAt(watcher), failWith(watcher)));
  define(reader, "cancel", (reason?: unknown) => cancel(reason).then(() => watcher.stop()));
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

  end(stopped: boolean): Promise<void> {
    return receiveBody(this.#call, this.#pieces.end(this.#type), this.#type, stopped);
  }

  fail(error: unknown): Promise<unknown> {
    return this.#call.fail(error);
  }

  async stop(): Promise<void> {
    if (this.open) await this.end(true);
  }
}
