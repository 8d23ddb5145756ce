// Surfaces: the mapping between an endpoint of the provider and the fields of an entry.
import type { CapturedFields, GrowingFields } from "../fields.ts";
import type { ContentBounds } from "../payload/bounds.ts";
import type { Fields } from "../payload/read.ts";
import type { SafetyCodes } from "../safety/codes.ts";
import type { StreamCollector } from "../stream/collector.ts";

/** A request as it is sent. */
export interface WireRequest {
  readonly method: string;
  /** URL path without base and query, such as `/chat/completions`. */
  readonly path: string;
  readonly url: string;
  /**
   * Parsed JSON, what `describeForm` made of a form, FormData, or a stream. Read synchronously,
   * never kept.
   */
  readonly body: unknown;
  /**
   * false for a call that failed before its body was put into JSON: only plain members are here.
   */
  readonly isSerialized: boolean;
  /**
   * The provider whose client this is, as OpenTelemetry names it; undefined where the host decides.
   */
  readonly provider: string | undefined;
}

/** The part of the content that an entry gets. */
export interface ExtractOptions extends ContentBounds {
  /** Token log probabilities in the output, instead of their count and digest. @default false */
  readonly captureLogprobs?: boolean | undefined;
  /**
   * Whole embedding vectors in the output, instead of count, dimensions and digest.
   * @default false
   */
  readonly captureEmbeddings?: boolean | undefined;
  /** Provider codes that mean "blocked". @default `SAFETY_CODES` */
  readonly safetyCodes?: SafetyCodes | undefined;
}

/**
 * One endpoint. `request` and `response` never throw. `outcome` is among the fields only where the
 * payload itself says `blocked`, `error` or `aborted`: else the outcome is the transport's.
 */
export interface Surface {
  /** OpenTelemetry GenAI's name where there is one. */
  readonly operation: string;
  /** Input, model and parameters. The caller's to add to, as those of the response are. */
  request(request: WireRequest, options: ExtractOptions): GrowingFields;
  /** Everything in a complete response, in the wire's shape: parsed JSON, text, or bytes. */
  response(body: unknown, options: ExtractOptions, mime?: string): GrowingFields;
  /**
   * One collector for each response that is a stream; on surfaces without one of their own it keeps
   * the events.
   */
  stream(options: ExtractOptions, mime?: string): StreamCollector;
  /** The requested media type, where the answer does not name its own. */
  mimeOf(request: WireRequest): string | undefined;
}

/** A surface before it is bound to a provider and guarded: it may throw on odd payloads. */
export interface SurfaceDefinition {
  readonly operation: string;
  /** The entry's input is the whole body. */
  readonly keepsBody?: boolean;
  /** Members of a body that the entry holds, beside those of every provider's requests. */
  readonly members?: readonly string[];
  /** The list that every response of this surface has. One without it is kept as it came. */
  readonly list?: string;
  request(body: Fields, options: ExtractOptions, request: WireRequest): CapturedFields;
  response(body: unknown, options: ExtractOptions, mime?: string): CapturedFields;
  stream?(options: ExtractOptions, mime?: string): StreamCollector;
  mimeOf?(body: Fields): string | undefined;
}
