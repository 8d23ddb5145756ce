// LangChain's middleware for programs with `exactOptionalPropertyTypes`, which its types do not fit.
import type { AgentMiddleware } from "langchain";

/** `make(...options)`, as a middleware of `createAgent`. */
export function middleware(
  make: (...options: never[]) => object,
  ...options: unknown[]
): AgentMiddleware {
  const made: unknown = Reflect.apply(make, undefined, options);
  if (!isMiddleware(made)) throw new TypeError("not a middleware");
  return made;
}

function isMiddleware(value: unknown): value is AgentMiddleware {
  return typeof value === "object" && value !== null && "name" in value;
}
