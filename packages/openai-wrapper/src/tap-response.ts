// Watching a response's body being read, whoever reads it: the SDK, or the caller who asked for the response itself.
import { AuditedCall } from "./audited-call.ts";
import { receiveBody } from "./receive-body.ts";
import { tapBody } from "./tap-body.ts";

/** The methods of a `Response` that read its whole body. */
const READERS = ["json", "text", "arrayBuffer", "bytes", "blob", "formData"] as const;

const CALL = Symbol("ai-audit.call");

/**
 * Puts the reading methods of this one response object through the call. It remains the object it was, and every
 * method does what it did: they come from a prototype of ours, between the object and its own prototype.
 */
export function tapResponse(response: Response, call: AuditedCall): void {
  // One of the caller's own making that cannot be changed is left as it is: what the SDK makes of it is seen anyway.
  if (!Object.isExtensible(response)) return;
  const prototype: unknown = Object.getPrototypeOf(response);
  if (isObject(prototype)) Object.setPrototypeOf(response, tappedPrototype(prototype));
  for (const name of Object.getOwnPropertyNames(response)) {
    const own: unknown = Reflect.get(response, name);
    const descriptor = descriptorOf(name, () => own);
    if (descriptor && (typeof own === "function" || name === "body")) Object.defineProperty(response, name, descriptor);
  }
  Object.defineProperty(response, CALL, { value: call, configurable: true, writable: true });
}

const prototypes = new WeakMap<object, object>();

/** One for each implementation of `Response`. */
function tappedPrototype(base: object): object {
  const known = prototypes.get(base);
  if (known) return known;
  const tapped = Object.create(base) as object;
  for (const name of [...READERS, "clone", "body"]) {
    if (!(name in base)) continue; // `bytes` is newer than some implementations of fetch
    const descriptor = descriptorOf(name, (response) => Reflect.get(base, name, response));
    if (descriptor) Object.defineProperty(tapped, name, descriptor);
  }
  prototypes.set(base, tapped);
  return tapped;
}

/** How a member is tapped; undefined when it is not. `member` is what it was. */
function descriptorOf(name: string, member: (response: Response) => unknown): PropertyDescriptor | undefined {
  if (name === "body") {
    return { configurable: true, get: bodyOf };
  }
  if (name !== "clone" && !READERS.some((reader) => reader === name)) return undefined;
  return { configurable: true, writable: true, value: name === "clone" ? cloneOf : read };

  function bodyOf(this: Response): unknown {
    const body = member(this);
    const call = callOf(this);
    if (body instanceof ReadableStream && call?.reader === "caller" && call.open) {
      tapBody(body, this.headers.get("content-type") ?? "", call);
    }
    return body;
  }

  function read(this: Response, ...args: readonly unknown[]): unknown {
    const reading = invoke(member(this), this, args);
    const call = callOf(this);
    if (!call?.open || !(reading instanceof Promise)) return reading;
    call.unwatch();
    if (call.reader === "caller") return handOver(reading, this, call);
    call.sdkReads(reading);
    return reading;
  }

  function cloneOf(this: Response, ...args: readonly unknown[]): unknown {
    const copy = invoke(member(this), this, args);
    const call = callOf(this);
    if (call?.open && copy instanceof Response) tapResponse(copy, call);
    return copy;
  }
}

function invoke(method: unknown, response: Response, args: readonly unknown[]): unknown {
  if (typeof method !== "function") throw new TypeError("not a function");
  return Reflect.apply(method, response, args) as unknown;
}

function callOf(response: Response): AuditedCall | undefined {
  const call: unknown = Reflect.get(response, CALL);
  return call instanceof AuditedCall ? call : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** What the caller reads is looked at first; in fail-closed mode it waits for the entry. */
async function handOver(reading: Promise<unknown>, response: Response, call: AuditedCall): Promise<unknown> {
  let body: unknown;
  try {
    body = await reading;
  } catch (error) {
    throw await call.fail(error);
  }
  const type = response.headers.get("content-type") ?? "";
  await receiveBody(call, await bytesOf(body), type);
  return body;
}

async function bytesOf(body: unknown): Promise<unknown> {
  if (body instanceof Blob) return new Uint8Array(await body.arrayBuffer());
  return body instanceof ArrayBuffer ? new Uint8Array(body) : body;
}
