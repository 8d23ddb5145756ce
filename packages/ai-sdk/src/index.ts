// The audit of Vercel's AI SDK: @ai-audit/ai-sdk.
export {
  type AiSdkAudit,
  auditAiSdk,
  type EmbeddingModelAudit,
  type ImageModelAudit,
  type LanguageModelAudit,
} from "./audit-ai-sdk.ts";
export type { AiSdkAuditOptions } from "./options.ts";
export type { AuditTelemetry } from "./telemetry.ts";
