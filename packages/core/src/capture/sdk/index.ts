// The seam to the clients of generated SDKs: @ai-audit/core/sdk.
//
// openai's and Anthropic's clients come from one generator and have the same methods. A wrapper of
// such an SDK gives its `SdkHost`, with a table of surfaces, to `auditedClass` and
// `auditedInstance`; everything between a call and its entry is here.
export type { CallMemory, Method, SdkHost } from "./host.ts";
export {
  auditedClass,
  type AuditedClass,
  auditedInstance,
  type ClientClass,
} from "./audited-client.ts";
export {
  attachAudit,
  type AuditSettings,
  auditSettingsOf,
  auditOptions,
  auditStats,
  type CallAudit,
  type CallAuditOptions,
  CLIENT_AUDIT_OPTIONS,
  type ClientAuditOptions,
  resolveAudit,
} from "./options.ts";
export { boundSurface, errorFields } from "./bound-surface.ts";
export { errorTypesOf } from "./error-types.ts";
export { keptFields, objectSurface } from "./objects.ts";
export { definitionOf, ID, type Route, route, type Routing } from "./routing.ts";
export type { ExtractOptions, Surface, SurfaceDefinition, WireRequest } from "./surface.ts";
export {
  envelopeFields,
  requestFields,
  responseFields,
  SERVED_FACTS,
  wordsAmong,
} from "./surface-fields.ts";
export { type ToolReaders, ToolTurns } from "./tool-turns.ts";
