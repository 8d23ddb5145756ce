// A surface bound to the request's destination, and guarded: no payload may throw into the caller or
// cost the call its entry.
import type { JsonValue } from "../../format/canonical.ts";
import { type ErrorReading, providerErrorFields, thrownErrorFields } from "../error-fields.ts";
import { addFields, type CapturedFields, type GrowingFields, mergeFields } from "../fields.ts";
import { outlineForm } from "../payload/binary.ts";
import { omittedParameters } from "../payload/parameters.ts";
import { fieldsOf, isFields, nameOf } from "../payload/read.ts";
import { providerOfHost, serverOf } from "../providers.ts";
import { guarded, GuardedCollector, type StreamCollector } from "../stream/collector.ts";
import { EventCollector } from "./events-stream.ts";
import { keptFields } from "./objects.ts";
import type { ExtractOptions, Surface, SurfaceDefinition, WireRequest } from "./surface.ts";

/**
 * The surface with the provider and server of a request. Never throws.
 *
 * @param model the requested model, where the path names it
 */
export function boundSurface(
  definition: SurfaceDefinition,
  request: WireRequest,
  model?: string,
): Surface {
  const server = serverOf(request.url);
  const provider = request.provider ?? (server && providerOfHost(server.address)) ?? null;
  return new BoundSurface(definition, { provider, server, model });
}

/**
 * Outcome, `error` (type, code, HTTP status, scrubbed message), request id and safety fields of the
 * error that a call threw. `outcome` is `blocked`, `aborted`, `timeout` or `error`. Never throws.
 */
export function errorFields(error: unknown, reading: ErrorReading): GrowingFields {
  return mergeFields(
    { outcome: "error" },
    guarded("error", () => thrownErrorFields(error, reading)),
  );
}

/**
 * The fields of a form, once its files are known: `described` resolves when they have been read, or
 * have passed on the wire.
 */
export async function formFields(
  surface: Surface,
  request: WireRequest,
  described: Promise<Readonly<Record<string, JsonValue>>>,
  options: ExtractOptions,
): Promise<CapturedFields> {
  try {
    const { input, alerts, model, parameters } = surface.request(
      { ...request, body: await described },
      options,
    );
    return { input, alerts, model, parameters };
  } catch (error) {
    return { alerts: [`ai-audit: the form's files could not be read (${nameOf(error)})`] };
  }
}

/** The destination of a request. */
interface Destination {
  readonly provider: string | null;
  readonly server: CapturedFields["server"];
  /** Named by the path, regardless of the body. */
  readonly model: string | undefined;
}

/** A definition with its provider, guarded. */
class BoundSurface implements Surface {
  readonly #definition: SurfaceDefinition;
  readonly #destination: Destination;

  constructor(definition: SurfaceDefinition, destination: Destination) {
    this.#definition = definition;
    this.#destination = destination;
  }

  get operation(): string {
    return this.#definition.operation;
  }

  request(request: WireRequest, options: ExtractOptions): GrowingFields {
    const { provider, server, model } = this.#destination;
    const fields: GrowingFields = { operation: this.operation, provider, server };
    const body = bodyOf(request);
    addFields(
      fields,
      guarded("request", () => this.#definition.request(body, options, request)),
    );
    if (model !== undefined) fields.model = model;
    const { keepsBody, members = [] } = this.#definition;
    const omitted = keepsBody
      ? []
      : omittedParameters(body).filter((one) => !members.includes(one));
    if (omitted.length > 0)
      fields.parameters = { ...fields.parameters, parameters_omitted: omitted };
    if (!request.isSerialized) fields.alerts = [...(fields.alerts ?? []), UNSERIALIZED];
    return isStream(request.body) ? addFields(fields, UNSEEN) : fields;
  }

  response(body: unknown, options: ExtractOptions, mime?: string): GrowingFields {
    const definition = this.#definition;
    return guarded("response", () =>
      isExpected(body, definition)
        ? definition.response(body, options, mime)
        : mergeFields(keptFields(body, options), {
            alerts: [
              `ai-audit: the response has no list of ${definition.list}: it is kept as it came`,
            ],
            ...errorIn(body, options),
          }),
    );
  }

  mimeOf(request: WireRequest): string | undefined {
    try {
      return this.#definition.mimeOf?.(fieldsOf(request.body));
    } catch {
      return undefined; // `request` reports the part that could not be read
    }
  }

  stream(options: ExtractOptions, mime?: string): StreamCollector {
    const collector = this.#definition.stream?.(options, mime) ?? new EventCollector(options);
    return new GuardedCollector(collector);
  }
}

/** Gateways answer 200 with an error instead of an answer. */
function errorIn(body: unknown, options: ExtractOptions): CapturedFields {
  const { error } = fieldsOf(body);
  const reported = typeof error === "string" ? { message: error } : error;
  return isFields(reported) ? providerErrorFields(reported, { codes: options.safetyCodes }) : {};
}

/** Forms with files of which the SDK has only a stream. */
export function isStream(body: unknown): body is ReadableStream<Uint8Array> {
  return body instanceof ReadableStream;
}

const UNSERIALIZED = "ai-audit: input not seen whole: the call failed before its request was made";

/** Read when it passes, if it is a form. */
const UNSEEN: CapturedFields = { input: "" };

/** Gateways and proxies may answer with any type. */
function isExpected(body: unknown, { list }: SurfaceDefinition): boolean {
  return list === undefined || Array.isArray(fieldsOf(body)[list]);
}

function bodyOf({ body }: WireRequest): Readonly<Record<string, unknown>> {
  return body instanceof FormData ? outlineForm(body) : fieldsOf(body);
}
