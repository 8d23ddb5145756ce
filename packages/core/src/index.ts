// The public surface of @ai-audit/core.
export { AuditLogger, type AuditLoggerOptions, type CallStart, type OpenCall } from "./logger.ts";
export type { CleanupOptions, CleanupSchedule, ScheduleOptions } from "./cleanup.ts";
export type { AuditHealth } from "./health.ts";
export type { EntryFilter, EntryQuery } from "./query.ts";
export { type Claim, openContent } from "./read-content.ts";
export type { Interaction, InteractionFields, Metadata } from "./interaction.ts";
export type { RedactableField, Redaction, RedactFunction, RedactionOptions } from "./redact.ts";
export { type AuditContext, currentAuditContext, withAuditContext } from "./context.ts";
export {
  type CapturedFields,
  CallRecorder,
  type CaptureOptions,
  type CaptureStats,
  type RecordedCall,
} from "./capture.ts";
export type { CallLayer, CaptureOrigin } from "./same-call.ts";
export {
  type AuditEntry,
  type EntryError,
  lineToEntry,
  type Outcome,
  type Run,
  type Trace,
  type Usage,
} from "./entry.ts";
export { canonicalJson, type JsonValue, toJson } from "./canonical.ts";
export { hashContent } from "./content.ts";
export { EncryptionManager } from "./crypto/encryption.ts";
export { generateKey } from "./crypto/keys.ts";
export { FileStorage, type FileStorageOptions } from "./storage/file.ts";
export { MemoryStorage } from "./storage/memory.ts";
export type { AuditStorage, PruneOptions, PruneResult, TimeRange, WriteStatus } from "./storage/storage.ts";
export { Signer } from "./integrity/signer.ts";
export { verifyLog, type VerifyOptions, type VerifyProgress } from "./integrity/verify.ts";
export type { ExitCode, FileState, FileVerification, Pin, Problem, Verification } from "./integrity/verification.ts";
export { formatPin, parsePin } from "./integrity/pin.ts";
export {
  AuditConfigError,
  AuditDecryptError,
  AuditError,
  type AuditErrorCode,
  AuditInputError,
  AuditWriteError,
  type UnrecordedCall,
} from "./errors.ts";
