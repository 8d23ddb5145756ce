// The surface of a request. docs/openai-surfaces.md is this table with what each entry
// holds.
import {
  type CapturedFields,
  type GrowingFields,
  GuardedCollector,
  type JsonValue,
  type ErrorReading,
  type StreamCollector,
  addFields,
  fieldsOf,
  guarded,
  isFields,
  mergeFields,
  nameOf,
  omittedParameters,
  outlineForm,
  providerErrorFields,
  providerOfHost,
  serverOf,
  thrownErrorFields,
} from "@ai-audit/core/capture";
import { runSurface, threadMessage } from "./surfaces/assistants.ts";
import { chat, storedChat } from "./surfaces/chat.ts";
import { completions } from "./surfaces/completions.ts";
import type {
  ExtractOptions,
  Surface,
  SurfaceDefinition,
  WireRequest,
} from "./surfaces/contract.ts";
import { embeddings } from "./surfaces/embeddings.ts";
import { imageEdit, imageGeneration, imageVariation } from "./surfaces/images.ts";
import { moderations } from "./surfaces/moderations.ts";
import { administration, keptFields, objectSurface, operationOf } from "./surfaces/objects.ts";
import { EventCollector } from "./surfaces/events-stream.ts";
import { cancellation, compaction, responses, retrieval } from "./surfaces/responses.ts";
import { speech } from "./surfaces/speech.ts";
import { transcription, translation } from "./surfaces/transcription.ts";

export type { ExtractOptions, Surface, WireRequest } from "./surfaces/contract.ts";

type Route = readonly [method: string, path: RegExp, definition: SurfaceDefinition];

const ID = "[^/]+";

function route(method: string, path: string, definition: SurfaceDefinition): Route {
  return [method, new RegExp(`^${path}$`), definition];
}

/** Most frequent first. */
const ROUTES: readonly Route[] = [
  route("POST", "(?:/extensions)?/chat/completions", chat),
  route("POST", "/responses", responses),
  route("POST", "/embeddings", embeddings),
  route("POST", "/completions", completions),
  route("POST", "/moderations", moderations),
  route("GET", `/responses/${ID}`, retrieval),
  route("POST", `/responses/${ID}/cancel`, cancellation),
  route("POST", "/responses/compact", compaction),
  route("POST", "/images/generations", imageGeneration),
  route("POST", "/images/edits", imageEdit),
  route("POST", "/images/variations", imageVariation),
  route("POST", "/audio/speech", speech),
  route("POST", "/audio/transcriptions", transcription),
  route("POST", "/audio/translations", translation),
  route("POST", "/files", objectSurface("files.create")),
  route("POST", "/batches", objectSurface("batches.create")),
  route("POST", `/batches/${ID}/cancel`, objectSurface("batches.cancel")),
  route("POST", "/fine_tuning/jobs", objectSurface("fine_tuning.jobs.create")),
  route("POST", "/assistants", objectSurface("create_agent")),
  route("POST", "/threads", objectSurface("threads.create")),
  route("POST", "/threads/runs", runSurface("threads.create_and_run")),
  route("POST", `/threads/${ID}/runs`, runSurface("threads.runs.create")),
  route("GET", `/threads/${ID}/runs/${ID}`, runSurface("threads.runs.retrieve")),
  route("POST", `/threads/${ID}/runs/${ID}/cancel`, runSurface("threads.runs.cancel")),
  route(
    "POST",
    `/threads/${ID}/runs/${ID}/submit_tool_outputs`,
    runSurface("threads.runs.submit_tool_outputs"),
  ),
  route("POST", `/threads/${ID}/messages`, threadMessage),
  // Events with answers and outcomes.
  route("GET", `/chat/completions/${ID}`, storedChat),
  route("GET", `/batches/${ID}`, objectSurface("batches.retrieve")),
  route("GET", `/videos/${ID}`, objectSurface("videos.retrieve")),
  route("GET", `/conversations/${ID}/items`, objectSurface("conversations.items.list")),
  route("GET", `/threads/${ID}/messages`, objectSurface("threads.messages.list")),
  route(
    "GET",
    `/evals/${ID}/runs/${ID}/output_items`,
    objectSurface("evals.runs.output_items.list"),
  ),
  route("GET", `/agents/sessions/${ID}/events`, objectSurface("agents.sessions.events")),
  route("GET", `/agents/sessions/${ID}/items`, objectSurface("agents.sessions.items.list")),
];

/** Paths that administer keys, certificates and other credentials. */
const ADMINISTRATION = /^\/(?:organization|projects|vaults|webhook_endpoints)(?:\/|$)/;

/**
 * The surface of a request; undefined where a request needs no entry: lists, models, downloads.
 * Paths may carry a base (`/v1`, `/openai/v1`) and an Azure deployment. Never throws.
 */
export function surfaceOf(request: WireRequest): Surface | undefined {
  const { path, deployment } = normalize(request.path);
  const method = request.method.toUpperCase();
  const definition =
    ROUTES.find(([verb, pattern]) => verb === method && pattern.test(path))?.[2] ??
    unlisted(method, path);
  if (!definition) return undefined;
  const server = serverOf(request.url);
  const provider = request.provider ?? (server && providerOfHost(server.address)) ?? null;
  return new BoundSurface(definition, { provider, server, deployment });
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

/** An unlisted path with a changing method is recorded under its own name. */
function unlisted(method: string, path: string): SurfaceDefinition | undefined {
  if (method === "GET" || method === "HEAD") return undefined;
  const operation = method === "DELETE" ? deletionOf(path) : operationOf(path);
  return ADMINISTRATION.test(path) ? administration(operation) : objectSurface(operation);
}

/** `/vector_stores/vs_1/files/file_1` → `vector_stores.files.delete` */
function deletionOf(path: string): string {
  const names = operationOf(path)
    .split("/")
    .filter((name) => name !== "" && name !== "{id}");
  return [...names, "delete"].join(".");
}

/** The destination of a request. */
interface Destination {
  readonly provider: string | null;
  readonly server: CapturedFields["server"];
  readonly deployment: string | undefined;
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
    const { provider, server, deployment } = this.#destination;
    const fields: GrowingFields = { operation: this.operation, provider, server };
    const body = bodyOf(request);
    addFields(
      fields,
      guarded("request", () => this.#definition.request(body, options, request)),
    );
    // On Azure the deployment is the requested model, regardless of the body.
    if (deployment !== undefined) fields.model = deployment;
    const omitted = this.#definition.keepsBody ? [] : omittedParameters(body);
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

/** The path without query and base, and the deployment that Azure puts into it. */
function normalize(path: string): {
  readonly path: string;
  readonly deployment: string | undefined;
} {
  const [bare = ""] = path.split("?", 1);
  const match = /^(?:\/openai)?(?:\/v\d+)?(?:\/(?:deployments|engines)\/([^/]+))?(\/.*?)\/*$/.exec(
    bare.startsWith("/") ? bare : `/${bare}`,
  );
  const deployment = match?.[1];
  return {
    path: match?.[2] ?? bare,
    deployment: deployment === undefined ? undefined : decode(deployment),
  };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a stray % is no reason to lose the name
  }
}
