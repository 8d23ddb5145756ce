// Exports that `import` and `require()` share: everything but the clients and openai's own names.
export { type Audited, type AuditedOptions, type ClientClass, withAudit } from "./with-audit.ts";
export { auditClient } from "./audit-client.ts";
export { auditSocket, type ModelSocket } from "./socket/audit-socket.ts";
export {
  type Audit,
  type AuditOptions,
  auditOptions,
  auditStats,
  type CallAudit,
  type CallAuditOptions,
} from "./options.ts";
export {
  type ModerationClient,
  type ModerationDetectorOptions,
  openAIModerationDetector,
} from "./safety/moderation-detector.ts";
