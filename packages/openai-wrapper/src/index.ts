// The public surface of @ai-audit/openai-wrapper.
export { AuditedAzureOpenAI, AuditedOpenAI } from "./clients.ts";
export { type Audited, type AuditedOptions, type ClientClass, withAudit } from "./with-audit.ts";
export { auditClient } from "./audit-client.ts";
export {
  type Audit,
  type AuditOptions,
  auditOptions,
  auditStats,
  type CallAudit,
} from "./options.ts";
export {
  type ModerationClient,
  type ModerationDetectorOptions,
  openAIModerationDetector,
} from "./safety/moderation-detector.ts";
