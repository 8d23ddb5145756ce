// The public surface of @ai-audit/core for programs that log.
export { AuditLogger } from "./log/logger.ts";
export type { SubjectEntry } from "./log/reading.ts";
export type { AuditLoggerOptions } from "./log/options.ts";
export type { CleanupOptions, CleanupSchedule, ScheduleOptions } from "./log/keeping.ts";
export { exportEntries, type ExportFormat, type ExportOptions } from "./log/export.ts";
export type { AuditHealth, HealthOptions } from "./log/health.ts";
export type { EntryFilter, EntryQuery } from "./log/query.ts";
export { joinReviews, type ReviewCase, type ReviewDecision } from "./log/reviews.ts";
export type { ContentCheck } from "./log/content.ts";
export { type HoldOptions, listHolds, placeHold, releaseHold } from "./log/holds.ts";
export { verifyLog, type VerifyOptions } from "./log/verify-log.ts";
export type { Interaction, InteractionFields, Metadata } from "./capture/interaction.ts";
export type {
  RedactableField,
  Redaction,
  RedactFunction,
  RedactionOptions,
} from "./capture/redact.ts";
export { type AuditContext, currentAuditContext, withAuditContext } from "./capture/context.ts";
export type {
  ContentSide,
  Detector,
  DetectorContext,
  DetectorFinding,
  DetectorVerdict,
} from "./capture/safety/detector.ts";
export { SAFETY_CODES } from "./capture/safety/classify.ts";
export type { SafetyCodes } from "./capture/safety/codes.ts";
export {
  type NamedPattern,
  patternDetector,
  type PatternDetectorOptions,
} from "./capture/safety/pattern-detector.ts";
export { PERSONAL_DATA_PATTERNS, SECRET_PATTERNS } from "./capture/safety/patterns.ts";
export type {
  Actor,
  AuditEntry,
  EntryError,
  Outcome,
  Review,
  ReviewVerdict,
  Run,
  Trace,
  Usage,
} from "./format/entry.ts";
export type { JsonValue } from "./format/canonical.ts";
export { hashContent } from "./format/content.ts";
export {
  type ContentBinding,
  type ContentJwk,
  EncryptionManager,
  type EncryptionOptions,
} from "./keys/encryption.ts";
export { FileKeyStore, type FileKeyStoreOptions } from "./keys/file-key-store.ts";
export { environmentKeys, fileKeys, type KeyProvider } from "./keys/key-provider.ts";
export type { KeyRing, Keys } from "./keys/key-ring.ts";
export type { KeyStore, SubjectState } from "./keys/key-store.ts";
export { generateKey, type SubjectKey } from "./keys/keys.ts";
export { Signer } from "./seal/signer.ts";
export { FileStorage, type FileStorageOptions } from "./storage/file/file.ts";
export type { Hold } from "./retention/holds.ts";
export { MemoryStorage } from "./storage/memory.ts";
export type {
  AuditStorage,
  ExpiredPart,
  OnProgress,
  PruneOptions,
  PruneResult,
  TimeRange,
  WriteStatus,
} from "./storage/storage.ts";
export type {
  ExitCode,
  FileState,
  FileVerification,
  Pin,
  Problem,
  Verification,
} from "./verify/verification.ts";
export type { VerifyProgress } from "./verify/verifier.ts";
export {
  AuditConfigError,
  AuditDecryptError,
  AuditError,
  type AuditErrorCode,
  AuditInputError,
  AuditWriteError,
  ContentBlockedError,
  type UnrecordedCall,
} from "./errors.ts";
