// The package's types for programs: the built ones, and openai's namespace under the name
// AuditedOpenAI, whichever version of openai is installed. Only an alias lends a namespace, and the
// compiler refuses an alias beside a const. It merges them as intended; consumers/app/types says so
// for each compiler. This is index.d.ts for `require()`.
import { OpenAI } from "openai";
/** @ts-ignore: lends the type and the namespace of openai's class (`OpenAI.Chat.…`) */
import { OpenAI as AuditedOpenAI } from "openai";
import type { Audited } from "../dist/index.cjs";

/**
 * `OpenAI` that leaves an entry for every call. It can take the name that the program already uses:
 * statics (`OpenAI.APIError`) and types (`OpenAI.Chat.ChatCompletionMessageParam`) are openai's.
 *
 * @example
 * const client = new AuditedOpenAI({ apiKey, audit: logger });
 * const client = new AuditedOpenAI({ audit: { logger, failureMode: "open", conversationId: "c-17" } });
 * @example
 * import { AuditedOpenAI as OpenAI } from "@ai-audit/openai-wrapper"; // the one line that changes
 */
declare const AuditedOpenAI: Audited<typeof OpenAI>;

export { AuditedOpenAI, AuditedOpenAI as default };
export * from "../dist/index.cjs";
