// The public surface of @ai-audit/openai-wrapper. index.cts is the same for `require()`.
export { AuditedAzureOpenAI, AuditedOpenAI, AuditedOpenAI as default } from "./clients.ts";
export * from "./exports.ts";

// openai's own exports beside its clients, as far as versions 5 to 7 share them: an import of
// `OpenAI, { toFile, APIError }` changes only its module's name. The unaudited clients are not
// here.
export {
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
  OpenAIError,
  PagePromise,
  PermissionDeniedError,
  RateLimitError,
  toFile,
  UnprocessableEntityError,
  type Uploadable,
} from "openai";
