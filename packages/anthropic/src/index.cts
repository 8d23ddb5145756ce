// The package for `require()`. Its client extends the class that `require("@anthropic-ai/sdk")`
// gives, so `instanceof` is true for a CommonJS program. Everything else is the one ES module copy.
import { Anthropic } from "@anthropic-ai/sdk";
import { type Audited, withAudit } from "./with-audit.ts";

/** `Anthropic` that leaves an entry for every call. */
export const AuditedAnthropic: Audited<typeof Anthropic> = withAudit(Anthropic);
export type AuditedAnthropic = Anthropic;
export { AuditedAnthropic as default };

export * from "./exports.ts";

// The SDK's own exports, as in index.ts.
export {
  AnthropicError,
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIPromise,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  type ClientOptions,
  ConflictError,
  InternalServerError,
  NotFoundError,
  PagePromise,
  PermissionDeniedError,
  RateLimitError,
  toFile,
  UnprocessableEntityError,
  type Uploadable,
} from "@anthropic-ai/sdk";
