// The public surface of @ai-audit/anthropic. index.cts is the same for `require()`.
export { AuditedAnthropic, AuditedAnthropic as default } from "./clients.ts";
export * from "./exports.ts";

// The SDK's own exports beside its clients, as far as its versions share them: an import of
// `Anthropic, { toFile, APIError }` changes only its module's name. The unaudited clients are not
// here.
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
