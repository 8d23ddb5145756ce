// The `audit` option of a client.
import { type CallLogger, optionsOf } from "@ai-audit/core/capture";
import { CLIENT_AUDIT_OPTIONS, type ClientAuditOptions } from "@ai-audit/core/sdk";

/** Options for recording a client's calls. */
export type AuditOptions = ClientAuditOptions;

/** A logger, or a logger with options. */
export type Audit = CallLogger | AuditOptions;

/** Throws `AUDIT_CONFIG_INVALID` for an option that is unknown or does not fit. */
export const checkOptions: (given: unknown) => void = optionsOf<AuditOptions>(
  "audit",
  CLIENT_AUDIT_OPTIONS,
);
