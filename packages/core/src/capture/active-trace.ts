// The active span of OpenTelemetry. The package is not imported: `@opentelemetry/api` registers
// itself under a global symbol, so that all copies and versions of it share one state. So this
// works as ES module, as CommonJS and in a bundle, with the package and without it.
import type { Trace } from "../format/entry.ts";

/** Registry of all 1.x versions of `@opentelemetry/api`. */
const API = Symbol.for("opentelemetry.js.api.1");
/** The key of the span in a context. */
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");

/** Ids of the span that is active here; undefined without OpenTelemetry, or outside of spans. */
export function activeTrace(): Trace | undefined {
  const api: unknown = Reflect.get(globalThis, API);
  if (api === undefined) return undefined;
  try {
    const context = call(member(api, "context"), "active");
    const span = call(context, "getValue", SPAN);
    const found = call(span, "spanContext");
    const [traceId, spanId] = [member(found, "traceId"), member(found, "spanId")];
    if (typeof traceId !== "string" || typeof spanId !== "string") return undefined;
    return IDS.test(traceId + spanId) && !NO_ID.test(traceId) ? { traceId, spanId } : undefined;
  } catch {
    return undefined; // a foreign context manager that throws must not cost an entry
  }
}

const IDS = /^[0-9a-f]{48}$/;
const NO_ID = /^0+$/;

function member(holder: unknown, name: string): unknown {
  return typeof holder === "object" && holder !== null ? Reflect.get(holder, name) : undefined;
}

function call(holder: unknown, name: string, ...given: readonly unknown[]): unknown {
  const method = member(holder, name);
  return typeof method === "function" ? Reflect.apply(method, holder, [...given]) : undefined;
}
