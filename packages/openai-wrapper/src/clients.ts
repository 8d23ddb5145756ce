// The SDK's two clients, recording.
import { AzureOpenAI, OpenAI } from "openai";
// A const and a type of one name are fine; this type comes with a class, which the compiler refuses.
// Only so do programs find openai's namespace, of whatever version, under our name.
/** @ts-ignore: lends the type and the namespace of openai's class (`OpenAI.Chat.…`) */
import type { OpenAI as AuditedOpenAI } from "openai";
import { type Audited, withAudit } from "./with-audit.ts";

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
const AuditedOpenAI: Audited<typeof OpenAI> = withAudit(OpenAI);
export { AuditedOpenAI };

/** `AzureOpenAI` that leaves an entry for every call. */
export const AuditedAzureOpenAI: Audited<typeof AzureOpenAI> = withAudit(AzureOpenAI);
export type AuditedAzureOpenAI = AzureOpenAI;
