// The package for `require()`. Its clients extend the classes that `require("openai")` gives,
// so `instanceof` is true for a CommonJS program. Everything else is the one ES module copy.
import { AzureOpenAI, OpenAI } from "openai";
import { type Audited, withAudit } from "./with-audit.ts";

/** `OpenAI` that leaves an entry for every call. */
export const AuditedOpenAI: Audited<typeof OpenAI> = withAudit(OpenAI);
export type AuditedOpenAI = OpenAI;
export { AuditedOpenAI as default };

/** `AzureOpenAI` that leaves an entry for every call. */
export const AuditedAzureOpenAI: Audited<typeof AzureOpenAI> = withAudit(AzureOpenAI);
export type AuditedAzureOpenAI = AzureOpenAI;

export * from "./exports.ts";

// openai's own exports, as in index.ts.
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
