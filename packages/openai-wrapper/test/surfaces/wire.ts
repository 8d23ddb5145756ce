// Requests and options as the tests of all surfaces use them.
import type { ExtractOptions, Surface, WireRequest } from "@ai-audit/core/sdk";
import { surfaceOf } from "../../src/surface.ts";

export const OPTIONS: ExtractOptions = {
  maxContentBytes: 1024 * 1024,
  captureInput: true,
  captureOutput: true,
};

export function post(
  path: string,
  body: unknown = {},
  about: Partial<WireRequest> = {},
): WireRequest {
  return {
    method: "POST",
    path,
    url: `https://api.openai.com/v1${path}`,
    body,
    isSerialized: true,
    provider: undefined,
    ...about,
  };
}

/** The surface that must exist for this request. */
export function surfaceFor(request: WireRequest): Surface {
  const surface = surfaceOf(request);
  if (!surface) throw new Error(`no surface for ${request.method} ${request.path}`);
  return surface;
}

/** What a stream's events amount to. */
export function collect(
  request: WireRequest,
  events: readonly unknown[],
  options: ExtractOptions = OPTIONS,
): ReturnType<Surface["stream"]> {
  const surface = surfaceFor(request);
  const collector = surface.stream(options, surface.mimeOf(request));
  for (const event of events) collector.push(event);
  return collector;
}
