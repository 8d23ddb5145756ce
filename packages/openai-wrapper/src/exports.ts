// Exports that `import` and `require()` share: everything but the clients and openai's own names.
export { type Audited, type AuditedOptions, withAudit } from "./with-audit.ts";
export { auditClient } from "./audit-client.ts";
export { auditSocket, type ModelSocket } from "./socket/audit-socket.ts";
export type { Audit, AuditOptions } from "./options.ts";
export {
  auditOptions,
  auditStats,
  type CallAudit,
  type CallAuditOptions,
  type ClientClass,
} from "@ai-audit/core/sdk";
export {
  type ModerationClient,
  type ModerationDetectorOptions,
  openAIModerationDetector,
} from "./safety/moderation-detector.ts";
