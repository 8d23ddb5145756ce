// The package's types for programs: the built ones, and the SDK's namespace under the name
// AuditedAnthropic, whichever version of it is installed. Only an alias lends a namespace, and the
// compiler refuses an alias beside a const. It merges them as intended; consumers/app/types says so
// for each compiler. index.d.cts is the same for `require()`.
import { Anthropic } from "@anthropic-ai/sdk";
/** @ts-ignore: lends the type and the namespace of the SDK's class (`Anthropic.Messages.…`) */
import { Anthropic as AuditedAnthropic } from "@anthropic-ai/sdk";
import type { Audited } from "../dist/index.js";

/**
 * `Anthropic` that leaves an entry for every call. It can take the name that the program already uses:
 * statics (`Anthropic.APIError`) and types (`Anthropic.MessageParam`) are the SDK's.
 *
 * @example
 * const client = new AuditedAnthropic({ apiKey, audit: logger });
 * const client = new AuditedAnthropic({ audit: { logger, failureMode: "open", conversationId: "c-17" } });
 * @example
 * import { AuditedAnthropic as Anthropic } from "@ai-audit/anthropic"; // the one line that changes
 */
declare const AuditedAnthropic: Audited<typeof Anthropic>;

export { AuditedAnthropic, AuditedAnthropic as default };
export * from "../dist/index.js";
