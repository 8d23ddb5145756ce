// The seam: `send`, `onmessage` and `onclose` of one transport, replaced in place.
import { AuditConfigError } from "@ai-audit/core";
import { Connection } from "./connection.ts";
import { type McpAuditOptions, resolveOptions } from "./options.ts";

/** A transport of any version of the MCP SDKs, or of your own. */
export interface AuditableTransport {
  send(message: never, options?: never): Promise<void>;
}

type Handler = (...values: readonly unknown[]) => unknown;

const audited = new WeakSet<object>();

/**
 * Records the calls of one MCP connection, on the client's or the server's side. Call it before
 * `connect()`. Returns the same transport.
 *
 * @example
 * await client.connect(auditTransport(transport, { logger }));
 * @throws `AUDIT_CONFIG_INVALID`
 */
export function auditTransport<T extends AuditableTransport>(
  transport: T,
  options: McpAuditOptions,
): T {
  const settings = resolveOptions(options);
  const send: unknown = Reflect.get(transport, "send");
  if (!isHandler(send))
    throw new AuditConfigError("auditTransport(): transport must have a send() method");
  if (audited.has(transport)) return transport;
  audited.add(transport);
  const connection = new Connection(
    settings,
    {
      send: async (message, how) => {
        await Reflect.apply(send, transport, how === undefined ? [message] : [message, how]);
      },
      fail: (error) => {
        const onerror: unknown = Reflect.get(transport, "onerror");
        if (isHandler(onerror)) Reflect.apply(onerror, transport, [error]);
      },
    },
    () => Reflect.get(transport, "sessionId"),
  );
  Object.defineProperty(transport, "send", {
    configurable: true,
    enumerable: false,
    writable: true,
    value: (message: unknown, how?: unknown) => connection.send(message, how),
  });
  intercept(transport, "onmessage", (handler) => (message, extra) => {
    if (handler) connection.receive(message, extra, (kept) => handler(kept, extra));
  });
  intercept(transport, "onclose", (handler) => () => {
    connection.close();
    handler?.();
  });
  return transport;
}

/**
 * Makes a callback property an accessor. SDKs assign it later, some chain the one they find, and
 * some transports forward it to another object by an accessor of their own.
 */
function intercept(
  target: object,
  name: string,
  around: (handler: Handler | undefined) => Handler,
): void {
  const originals = new WeakMap<Handler, Handler>();
  const setInner = setterOf(target, name);
  const before: unknown = Reflect.get(target, name);
  let current: Handler | undefined;
  const set = (given: unknown): void => {
    const handler = isHandler(given) ? (originals.get(given) ?? given) : undefined;
    current = around(handler);
    if (handler) originals.set(current, handler);
    setInner?.(current);
    shown = handler && current;
  };
  let shown: Handler | undefined;
  set(before);
  Object.defineProperty(target, name, {
    configurable: true,
    enumerable: true,
    // The transport itself reads the property to call it.
    get: () => (name === "onclose" ? current : shown),
    set,
  });
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}

/** The setter of a transport that keeps the callback elsewhere, in the transport that it wraps. */
function setterOf(target: object, name: string): ((value: unknown) => void) | undefined {
  for (let at: unknown = target; typeof at === "object" && at !== null;) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found) return found.set?.bind(target);
    at = Object.getPrototypeOf(at);
  }
  return undefined;
}
