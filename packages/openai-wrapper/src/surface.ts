// The surface of a request. docs/openai-surfaces.md is this table with what each entry
// holds.
import {
  boundSurface,
  definitionOf,
  ID,
  objectSurface,
  route,
  type Routing,
  type Surface,
  type WireRequest,
} from "@ai-audit/core/sdk";
import { runSurface, threadMessage } from "./surfaces/assistants.ts";
import { chat, storedChat } from "./surfaces/chat.ts";
import { completions } from "./surfaces/completions.ts";
import { embeddings } from "./surfaces/embeddings.ts";
import { imageEdit, imageGeneration, imageVariation } from "./surfaces/images.ts";
import { moderations } from "./surfaces/moderations.ts";
import { cancellation, compaction, responses, retrieval } from "./surfaces/responses.ts";
import { speech } from "./surfaces/speech.ts";
import { transcription, translation } from "./surfaces/transcription.ts";

/** Most frequent first. */
const ROUTES: Routing["routes"] = [
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
  const definition = definitionOf(method, path, { routes: ROUTES, administration: ADMINISTRATION });
  // On Azure the deployment is the requested model, regardless of the body.
  return definition && boundSurface(definition, request, deployment);
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
