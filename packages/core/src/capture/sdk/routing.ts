// The surface of a request, by method and path.
import { administration, objectSurface, operationOf } from "./objects.ts";
import type { SurfaceDefinition } from "./surface.ts";

/** One row of a host's table of surfaces. */
export type Route = readonly [method: string, path: RegExp, definition: SurfaceDefinition];

/** Stands in a path for an id. */
export const ID = "[^/]+";

/** A row for a method and a whole path, which is the source of a regular expression. */
export function route(method: string, path: string, definition: SurfaceDefinition): Route {
  return [method, new RegExp(`^${path}$`), definition];
}

/** The surfaces of one host. */
export interface Routing {
  /** The most frequent first. */
  readonly routes: readonly Route[];
  /** Paths that administer keys, certificates and other credentials. */
  readonly administration: RegExp;
}

/**
 * The surface of a method, in capitals, and a path without base and query; undefined where a
 * request needs no entry: lists, models, downloads.
 */
export function definitionOf(
  method: string,
  path: string,
  { routes, administration: credentials }: Routing,
): SurfaceDefinition | undefined {
  return (
    routes.find(([verb, pattern]) => verb === method && pattern.test(path))?.[2] ??
    unlisted(method, path, credentials)
  );
}

/** An unlisted path with a changing method is recorded under its own name. */
function unlisted(
  method: string,
  path: string,
  credentials: RegExp,
): SurfaceDefinition | undefined {
  if (method === "GET" || method === "HEAD") return undefined;
  const operation = method === "DELETE" ? deletionOf(path) : operationOf(path);
  return credentials.test(path) ? administration(operation) : objectSurface(operation);
}

/** `/vector_stores/vs_1/files/file_1` → `vector_stores.files.delete` */
function deletionOf(path: string): string {
  const names = operationOf(path)
    .split("/")
    .filter((name) => name !== "" && name !== "{id}");
  return [...names, "delete"].join(".");
}
