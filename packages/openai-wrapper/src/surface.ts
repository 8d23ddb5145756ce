// Which surface a request belongs to. docs/openai-surfaces.md is this table with what each entry holds.
import type { CapturedFields } from "@ai-audit/core";
import { describeForm, outlineForm } from "./binary.ts";
import type { SafetyCodes } from "./safety/codes.ts";
import { chat } from "./surfaces/chat.ts";
import type { ExtractOptions, Surface, SurfaceDefinition, WireRequest } from "./surfaces/contract.ts";
import { thrownErrorFields } from "./surfaces/errors.ts";
import { mergeFields } from "./surfaces/fields.ts";
import { guarded, GuardedCollector } from "./surfaces/guard.ts";
import { fieldsOf } from "./surfaces/read.ts";
import { cancellation, compaction, responses, retrieval } from "./surfaces/responses.ts";

export type { ExtractOptions, StreamCollector, Surface, WireRequest } from "./surfaces/contract.ts";
export type { SafetyCodes } from "./safety/codes.ts";
export { SAFETY_CODES } from "./safety/codes.ts";
export { describeForm, mergeFields };

const ROUTES: readonly (readonly [method: string, path: RegExp, definition: SurfaceDefinition])[] = [
  ["POST", /^\/chat\/completions$/, chat],
  ["POST", /^\/responses$/, responses],
  ["POST", /^\/responses\/compact$/, compaction],
  ["POST", /^\/responses\/[^/]+\/cancel$/, cancellation],
  ["GET", /^\/responses\/[^/]+$/, retrieval],
];

/**
 * The surface of a request; undefined where a request is not worth an entry: lists, models, downloads.
 * Paths may carry a base (`/v1`, `/openai/v1`) and an Azure deployment. Never throws.
 */
export function surfaceOf(request: WireRequest): Surface | undefined {
  const { path, deployment } = normalize(request.path);
  const method = request.method.toUpperCase();
  const route = ROUTES.find(([verb, pattern]) => verb === method && pattern.test(path));
  return route && bind(route[2], request.azure || deployment !== undefined ? "azure.ai.openai" : "openai", deployment);
}

/**
 * Outcome, `error` (type, code, HTTP status, scrubbed message), request id and safety fields of what a call threw.
 * `outcome` is `blocked`, `aborted`, `timeout` or `error`. Never throws.
 */
export function errorFields(error: unknown, _request?: WireRequest, codes?: SafetyCodes): CapturedFields {
  return mergeFields(
    { outcome: "error" },
    guarded("error", () => thrownErrorFields(error, codes)),
  );
}

function bind(definition: SurfaceDefinition, provider: string, deployment: string | undefined): Surface {
  const { operation, stream } = definition;
  return {
    operation,
    provider,
    request: (request, options) =>
      mergeFields(
        { operation, provider },
        guarded("request", () => definition.request(bodyOf(request), options, request)),
        // On Azure the deployment is what is asked for, whatever the body says.
        deployment === undefined ? {} : { model: deployment },
      ),
    response: (body, options, request) => guarded("response", () => definition.response(body, options, request)),
    ...(stream && {
      stream: (options: ExtractOptions, request?: WireRequest) => new GuardedCollector(stream(options, request)),
    }),
  };
}

function bodyOf({ body }: WireRequest): Readonly<Record<string, unknown>> {
  return body instanceof FormData ? outlineForm(body) : fieldsOf(body);
}

/** The path without query and base, and the deployment that Azure puts into it. */
function normalize(path: string): { readonly path: string; readonly deployment: string | undefined } {
  const [bare = ""] = path.split("?", 1);
  const match = /^(?:\/openai)?(?:\/v\d+)?(?:\/(?:deployments|engines)\/([^/]+))?(\/.*?)\/*$/.exec(
    bare.startsWith("/") ? bare : `/${bare}`,
  );
  const deployment = match?.[1];
  return { path: match?.[2] ?? bare, deployment: deployment === undefined ? undefined : decode(deployment) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a stray % is no reason to lose the name
  }
}
