// The surface of a request. docs/anthropic.md has this table with what each entry holds.
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
import { batchCreation, batchResults } from "./surfaces/batches.ts";
import { completions } from "./surfaces/completions.ts";
import { messages, tokenCount } from "./surfaces/messages.ts";

const ROUTING: Routing = {
  routes: [
    route("POST", "/messages", messages),
    route("POST", "/messages/count_tokens", tokenCount),
    route("POST", "/messages/batches", batchCreation),
    route("GET", `/messages/batches/${ID}`, objectSurface("batches.retrieve")),
    route("GET", `/messages/batches/${ID}/results`, batchResults),
    route("POST", `/messages/batches/${ID}/cancel`, objectSurface("batches.cancel")),
    route("POST", "/complete", completions),
    route("POST", "/files", objectSurface("files.create")),
    route("POST", "/agents", objectSurface("create_agent")),
    route("POST", "/sessions", objectSurface("agents.sessions.create")),
    route("POST", `/sessions/${ID}/events`, objectSurface("agents.sessions.events.send")),
    // Events with answers and outcomes.
    route("GET", `/sessions/${ID}/events`, objectSurface("agents.sessions.events.list")),
    route("GET", `/sessions/${ID}/events/stream`, objectSurface("agents.sessions.events.stream")),
  ],
  administration: /^\/(?:organizations|vaults|tunnels|user_profiles|oauth)(?:\/|$)/,
};

/**
 * The surface of a request; undefined where a request needs no entry: lists, models, downloads.
 * Never throws.
 */
export function surfaceOf(request: WireRequest): Surface | undefined {
  const { path, model } = normalize(request.path);
  const definition = definitionOf(request.method.toUpperCase(), path, ROUTING);
  return definition && boundSurface(definition, request, model);
}

/** The path without base, and the model that Bedrock and Vertex put into it. */
function normalize(path: string): { readonly path: string; readonly model?: string } {
  const [, bedrock] = /\/model\/([^/]+)\/invoke(?:-with-response-stream)?$/.exec(path) ?? [];
  if (bedrock !== undefined) return { path: "/messages", model: decode(bedrock) };
  const [, vertex] =
    /\/publishers\/anthropic\/models\/([^/]+):(?:rawPredict|streamRawPredict)$/.exec(path) ?? [];
  // Vertex counts tokens with a model of this name; the real one stays in the body.
  if (vertex === "count-tokens") return { path: "/messages/count_tokens" };
  if (vertex !== undefined) return { path: "/messages", model: decode(vertex) };
  const [, bare = path] = /^(?:.*?\/v\d+)?(\/.*?)\/*$/.exec(path) ?? [];
  return { path: bare };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a stray % is no reason to lose the name
  }
}
