// Watching a response's body being read, whoever reads it: the SDK, or the caller who asked for the response itself.
import type { AuditedCall } from "./audited-call.ts";
import { tapBody } from "./tap-body.ts";

/** The methods of a `Response` that read its whole body. */
const READERS = ["json", "text", "arrayBuffer", "bytes", "blob", "formData"] as const;

/**
 * Puts the reading methods of this one response object through the call. It remains the object it was, and every
 * method does what it did.
 */
export function tapResponse(response: Response, call: AuditedCall): void {
  for (const name of READERS) {
    const read: unknown = Reflect.get(response, name);
    if (typeof read !== "function") continue; // `bytes` is newer than some implementations of fetch
    replace(response, name, (...args: readonly unknown[]) => {
      const reading: unknown = Reflect.apply(read, response, args);
      if (!call.open || !(reading instanceof Promise)) return reading;
      call.unwatch();
      if (call.reader === "caller") return handOver(reading, response, call);
      call.sdkReads(reading);
      return reading;
    });
  }
  const clone = response.clone.bind(response);
  replace(response, "clone", () => {
    const copy = clone();
    tapResponse(copy, call);
    return copy;
  });
  const { body } = response;
  if (!body) return;
  Object.defineProperty(response, "body", {
    configurable: true,
    get: () => {
      if (call.reader === "caller" && call.open) tapBody(body, response.headers.get("content-type") ?? "", call);
      return body;
    },
  });
}

function replace(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
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
  await call.receive(await bytesOf(body), type);
  return body;
}

async function bytesOf(body: unknown): Promise<unknown> {
  if (body instanceof Blob) return new Uint8Array(await body.arrayBuffer());
  return body instanceof ArrayBuffer ? new Uint8Array(body) : body;
}
