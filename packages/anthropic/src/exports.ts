// Exports that `import` and `require()` share: everything but the client and the SDK's own names.
export { type Audited, type AuditedOptions, withAudit } from "./with-audit.ts";
export { auditClient } from "./audit-client.ts";
export type { Audit, AuditOptions } from "./options.ts";
export {
  auditOptions,
  auditStats,
  type CallAudit,
  type CallAuditOptions,
  type ClientClass,
} from "@ai-audit/core/sdk";
