// The one seam to an SDK: a few methods of its client, wrapped here. Over 300 lines: the
// differences of the SDKs and their versions stand side by side.
import { AuditConfigError } from "../../errors.ts";
import { AuditedCall } from "./audited-call.ts";
import { errorTypesOf } from "./error-types.ts";
import type { Method, SdkHost } from "./host.ts";
import { auditSettingsOf } from "./options.ts";
import { tapResponse } from "./tap-response.ts";
import { isEventStream, tapStream } from "./tap-stream.ts";
import { wireRequestOf } from "./wire-request.ts";

/**
 * - `request` is where every resource's call passes: its promise parses, and derives from what it
 *   parsed.
 * - `makeRequest` is one whole call with its retries, and each attempt again with a log id.
 * - `prepareRequest` is awaited with URL and body before each attempt is sent.
 * - `retryRequest` is a further attempt, also of a call whose body did not come in time.
 *
 * `prepareRequest` is for subclasses; the others are internal, and the same in all versions.
 */
const SEAM: Readonly<Record<string, (base: Method) => Method>> = {
  request,
  makeRequest,
  prepareRequest,
  retryRequest,
};

/** The place where all promises parse, from openai 7.5 on. */
const PARSE = "parseResponseWithTimeout";

/**
 * Puts the seam onto a class's prototype, or onto one client. `from` is where its methods are found
 * then: the base class's prototype, looked up at each call as `super` would.
 *
 * @throws `AUDIT_CONFIG_INVALID` when this is not a client of the SDK's supported versions
 */
export function installSeam(target: object, from: object, host: SdkHost): void {
  checkVersion(from, host);
  const seam = {
    ...SEAM,
    ...host.methods,
    ...(host.beginsWhenBuilt && { buildRequest }),
    ...(PARSE in from && { [PARSE]: parseResponseWithTimeout }),
  };
  for (const [name, put] of Object.entries(seam)) {
    const own = Object.getOwnPropertyDescriptor(target, name);
    if (typeof Reflect.get(from, name) !== "function") {
      throw new AuditConfigError(`${name}() is missing: not a client of ${host.versions}`);
    }
    const base: Method = function (...args) {
      const method: unknown = own ? own.value : Reflect.get(from, name);
      if (typeof method !== "function") throw new TypeError(`${name} is not a function`);
      return Reflect.apply(method, this, args) as unknown;
    };
    Object.defineProperty(target, name, {
      value: named(name, put(base)),
      configurable: true,
      writable: true,
    });
  }
}

/** SDKs of other providers come from the same generator and have the same methods. */
function checkVersion(prototype: object, host: SdkHost): void {
  const { constructor } = prototype;
  if (!(host.baseError in constructor))
    throw new AuditConfigError(`not a client of ${host.versions}: another provider's SDK?`);
  const version = versionOf(prototype);
  if (version !== undefined && !host.supports(version))
    throw new AuditConfigError(
      `${host.name} ${version} is not supported: ${host.versions} is needed`,
    );
}

/** The version, from the User-Agent that the SDK's own class gives: `OpenAI/JS 7.57.0`. */
function versionOf(prototype: object): string | undefined {
  let agent: unknown;
  for (let at: object | null = prototype; at; at = prototypeOf(at))
    agent = Object.getOwnPropertyDescriptor(at, "getUserAgent")?.value ?? agent;
  if (typeof agent !== "function") return undefined;
  const text: unknown = Reflect.apply(agent, prototype, []);
  return typeof text === "string" ? /\/JS (\d+\.\d+\.\d+)/.exec(text)?.[1] : undefined;
}

/** The `prepareRequest` methods that report attempts. */
const hooks = new WeakSet<object>();

/** The SDK's own hook is empty, so overrides do not call `super`. Their calls are recorded too. */
function ensureHook(client: object): void {
  const hook: unknown = Reflect.get(client, "prepareRequest");
  if (typeof hook !== "function" || hooks.has(hook)) return;
  const value = named(
    "prepareRequest",
    prepareRequest(function (...args) {
      return Reflect.apply(hook, this, args) as unknown;
    }),
  );
  Object.defineProperty(client, "prepareRequest", { value, configurable: true, writable: true });
}

function named(name: string, method: Method): Method {
  Object.defineProperty(method, "name", { value: name });
  return method;
}

function request(base: Method): Method {
  return function (...args) {
    const promise = base.apply(this, args);
    if (!(PARSE in this) && isObject(promise)) observeParsing(promise);
    return promise;
  };
}

/**
 * Wraps the promise's parsing without starting it: it parses only when awaited, and `asResponse()`
 * must not parse.
 */
function observeParsing(promise: object): void {
  const { parseResponse: parse } = promise as { readonly parseResponse?: unknown };
  if (typeof parse !== "function") return;
  // In place: a promise derived for each call would cost more than most of the rest.
  const observed = (...given: readonly unknown[]): Promise<unknown> =>
    observe(() => Reflect.apply(parse, promise, given) as unknown, given[1]);
  Object.assign(promise, { parseResponse: observed });
}

function parseResponseWithTimeout(base: Method): Method {
  return function (...args) {
    return observe(() => base.apply(this, args), args[1]);
  };
}

/** Parses, and gives the data, in the shape of the wire, once the caller may have them. */
async function observe(parse: () => unknown, props: unknown): Promise<unknown> {
  const call = isProps(props) ? callOf(props.options) : undefined;
  if (!call) return parse();
  call.reader = "sdk";
  let data: unknown;
  try {
    data = await parse();
  } catch (error) {
    throw await call.unparsed(error);
  }
  const delivering = delivery(data, call);
  if (delivering) await delivering;
  return data;
}

/** The promise to await before the caller gets the parsed data. */
function delivery(data: unknown, call: AuditedCall): Promise<void> | undefined {
  if (!call.open) return undefined;
  const isStream = isEventStream(data);
  if (!isStream && !isResponse(data)) return call.deliver(data);
  call.reader = "caller"; // a stream takes the body when it is iterated, and until then the caller may
  if (isStream) tapStream(data, call);
  return undefined;
}

function makeRequest(base: Method): Method {
  return async function (...args) {
    const [input, retriesRemaining, retryOf, ...more] = args;
    const settings = auditSettingsOf(this);
    if (!settings || retryOf !== undefined) return base.apply(this, args);
    const options: unknown = await input;
    if (!isObject(options)) return base.apply(this, args);
    const unique = callOf(options)?.ended === false ? copyOf(options) : options;
    const call = new AuditedCall(settings, unique, errorTypesOf(this, settings.host));
    ensureHook(this);
    remember(this, unique, call);
    try {
      return responded(
        unique,
        call,
        await base.call(this, unique, retriesRemaining, retryOf, ...more),
      );
    } catch (error) {
      throw await failed(this, unique, call, error);
    }
  };
}

function retryRequest(base: Method): Method {
  return async function (...args) {
    const [options] = args;
    const call = isObject(options) ? callOf(options) : undefined;
    if (call?.state !== "reading" || !isObject(options)) return base.apply(this, args);
    call.askAgain();
    try {
      const props = responded(options, call, await base.apply(this, args));
      call.reader = "sdk"; // which asks again only while it parses
      return props;
    } catch (error) {
      throw await failed(this, options, call, error);
    }
  };
}

/** The SDK has a response that it considers final. Must not throw. */
function responded(options: object, call: AuditedCall, props: unknown): unknown {
  if (!call.open) forget(options); // not a call that is recorded
  else if (isProps(props)) {
    call.respond(props.response);
    tapResponse(props.response, call);
  }
  return props;
}

/** The error that the caller gets. */
async function failed(
  client: object,
  options: object,
  call: AuditedCall,
  error: unknown,
): Promise<unknown> {
  const thrown = await call.fail(error, () => wireRequestOf(call.host, client, options));
  forget(options);
  return thrown;
}

function buildRequest(base: Method): Method {
  return function (...args) {
    const built = base.apply(this, args);
    // Synchronous in versions that await `prepareRequest` where its errors are the caller's.
    return built instanceof Promise ? beginBuilt(this, args[0], built) : built;
  };
}

async function beginBuilt(
  client: object,
  options: unknown,
  building: Promise<unknown>,
): Promise<unknown> {
  const built = await building;
  const call = isObject(options) ? callOf(options) : undefined;
  if (!call || !isObject(options) || !isObject(built) || !("req" in built)) return built;
  const { req } = built;
  const url = "url" in built ? built.url : undefined;
  const beginning = call.prepare(() => wireRequestOf(call.host, client, options, url, req), req);
  if (beginning) await beginning;
  return built;
}

function prepareRequest(base: Method): Method {
  const hook: Method = async function (...args) {
    const [init, context] = args;
    const options =
      isObject(context) && "options" in context && isObject(context.options)
        ? context.options
        : undefined;
    const call = options && callOf(options);
    const isOutermost = call?.enter(init);
    await base.apply(this, args);
    if (!options || !call || !isOutermost) return;
    const url = isObject(context) && "url" in context ? context.url : undefined;
    const preparing = call.attempt(() => wireRequestOf(call.host, this, options, url, init), init);
    if (preparing) await preparing;
  };
  hooks.add(hook);
  return hook;
}

/** A caller may use one options object for two calls at once. */
function copyOf(options: object): object {
  const copy: object = Object.create(prototypeOf(options));
  return Object.assign(copy, options);
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value);
}

/**
 * On the SDK's options object of a call: cheaper than a WeakMap, for us and for the garbage
 * collector.
 */
const CALL = Symbol("ai-audit.sdk.call-of-options");
/** For options of the caller's that cannot be extended. */
const calls = new WeakMap<object, AuditedCall>();

function remember(client: object, options: object, call: AuditedCall): void {
  // With workload identity the SDK repeats a 401 with a copy of the options: copies have what is
  // enumerable.
  const enumerable = Boolean(Reflect.get(client, "_workloadIdentityAuth"));
  const descriptor = { value: call, enumerable, configurable: true, writable: true };
  if (!Reflect.defineProperty(options, CALL, descriptor)) calls.set(options, call);
}

function callOf(options: object): AuditedCall | undefined {
  const call: unknown = Reflect.get(options, CALL) ?? calls.get(options);
  return call instanceof AuditedCall ? call : undefined;
}

function forget(options: object): void {
  if (!Reflect.deleteProperty(options, CALL) || !Object.isExtensible(options))
    calls.delete(options);
}

interface Props {
  readonly response: Response;
  readonly options: object;
}

function isProps(value: unknown): value is Props {
  return (
    isObject(value) &&
    "response" in value &&
    isResponse(value.response) &&
    "options" in value &&
    isObject(value.options)
  );
}

/** Any implementation of fetch may have made it. */
function isResponse(value: unknown): value is Response {
  return (
    isObject(value) &&
    "headers" in value &&
    "status" in value &&
    "text" in value &&
    typeof value.text === "function"
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
