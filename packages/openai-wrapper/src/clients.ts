// The SDK's two clients, recording.
import { AzureOpenAI, OpenAI } from "openai";
import { type Audited, withAudit } from "./with-audit.ts";

/**
 * `OpenAI` that leaves an entry for every call.
 *
 * @example
 * const client = new AuditedOpenAI({ apiKey, audit: logger });
 * const client = new AuditedOpenAI({ audit: { logger, failureMode: "open", conversationId: "c-17" } });
 */
export const AuditedOpenAI: Audited<typeof OpenAI> = withAudit(OpenAI);
export type AuditedOpenAI = OpenAI;

/** `AzureOpenAI` that leaves an entry for every call. */
export const AuditedAzureOpenAI: Audited<typeof AzureOpenAI> = withAudit(AzureOpenAI);
export type AuditedAzureOpenAI = AzureOpenAI;
