// The SDK's client, recording. For programs types/index.d.ts declares AuditedAnthropic.
import { Anthropic } from "@anthropic-ai/sdk";
import { type Audited, withAudit } from "./with-audit.ts";

/** `Anthropic` that leaves an entry for every call. */
export const AuditedAnthropic: Audited<typeof Anthropic> = withAudit(Anthropic);
export type AuditedAnthropic = Anthropic;
