// Watches the body of a response being read, by the SDK or by the caller of `asResponse()`.
import { AuditedCall } from "./audited-call.ts";
import { receiveBody } from "./receive-body.ts";
import { tapBody } from "./tap-body.ts";

/** The methods of a `Response` that read its whole body. */
const READERS = ["json", "text", "arrayBuffer", "bytes", "blob", "formData"] as const;
const TAPPED: readonly string[] = [...READERS, "clone", "body"];

const CALL = Symbol("ai-audit.sdk.call-of-response");

/**
 * Puts the reading methods of this one response object through the call. It remains the same
 * object, and every method works as before: they come from an added prototype, between the object
 * and its own prototype.
 *
 * A caller's own response that cannot be changed is left alone: the data that the SDK reads from it
 * are seen anyway.
 */
export function tapResponse(response: Response, call: AuditedCall): void {
  try {
    tap(response, call);
  } catch {
    // a Proxy that refuses
  }
}

function tap(response: Response, call: AuditedCall): void {
  const isTapped = Object.hasOwn(response, CALL); // a caller's fetch may give one response for many calls
  if (
    !Reflect.defineProperty(response, CALL, { value: call, configurable: true, writable: true }) ||
    isTapped
  )
    return;
  const prototype: unknown = Object.getPrototypeOf(response);
  if (isObject(prototype)) Object.setPrototypeOf(response, tappedPrototype(prototype));
  if (Object.getOwnPropertyNames(response).length > 0) tapOwnMembers(response);
}

/** Members that a caller's own `fetch` put on the object itself. */
function tapOwnMembers(response: Response): void {
  for (const name of TAPPED) {
    const own = Object.getOwnPropertyDescriptor(response, name);
    if (!own?.configurable) continue;
    const holder = Object.defineProperty({}, name, own);
    const { enumerable = false } = own;
    const member = (self: object): unknown => Reflect.get(holder, name, self);
    Object.defineProperty(response, name, { ...tappedMember(name, member), enumerable });
  }
}

const prototypes = new WeakMap<object, object>();

/** One for each implementation of `Response`. */
function tappedPrototype(base: object): object {
  const known = prototypes.get(base);
  if (known) return known;
  const tapped: object = Object.create(base);
  for (const name of TAPPED) {
    if (!(name in base)) continue; // `bytes` is newer than some implementations of fetch
    Object.defineProperty(
      tapped,
      name,
      tappedMember(name, (response) => Reflect.get(base, name, response)),
    );
  }
  prototypes.set(base, tapped);
  return tapped;
}

/** A way to tap a member. `member` is the original. */
function tappedMember(name: string, member: (response: Response) => unknown): PropertyDescriptor {
  if (name === "body") return { configurable: true, get: bodyOf };
  const value = name === "clone" ? cloneOf : read;
  Object.defineProperty(value, "name", { value: name });
  return { configurable: true, writable: true, value };

  function bodyOf(this: Response): unknown {
    const body = member(this);
    const call = callOf(this);
    if (body instanceof ReadableStream && call?.reader === "caller" && call.open) {
      tapBody(body, this.headers.get("content-type") ?? "", call, lifeOf(this));
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
    if (!call?.open || !(copy instanceof Response)) return copy;
    call.copied();
    tapResponse(copy, call);
    shareLife(this, copy, call);
    return copy;
  }
}

function invoke(method: unknown, response: Response, args: readonly unknown[]): unknown {
  if (typeof method !== "function") throw new TypeError("not a function");
  return Reflect.apply(method, response, args) as unknown;
}

/** A method detached from its object has no call. */
function callOf(response: Response | undefined): AuditedCall | undefined {
  const call: unknown = isObject(response) ? Reflect.get(response, CALL) : undefined;
  return call instanceof AuditedCall ? call : undefined;
}

/** Shared by a response and its clones: it is garbage once all of them are. */
const LIFE = Symbol("ai-audit.sdk.life-of-response");

function shareLife(response: Response, copy: Response, call: AuditedCall): void {
  const life = lifeOf(response) ?? {};
  for (const one of [response, copy])
    Object.defineProperty(one, LIFE, { value: life, configurable: true });
  call.watch(life);
}

function lifeOf(response: Response): object | undefined {
  const life: unknown = Reflect.get(response, LIFE);
  return isObject(life) ? life : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The body is recorded before the caller gets it. In fail-closed mode it waits for the entry. */
async function handOver(
  reading: Promise<unknown>,
  response: Response,
  call: AuditedCall,
): Promise<unknown> {
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
