// The public surface of @ai-audit/core.
export { AuditLogger, type CallStart, type OpenCall, type SubjectRecord } from "./log/logger.ts";
export type { AuditLoggerOptions } from "./log/logger-options.ts";
export type { CleanupOptions, CleanupSchedule, ScheduleOptions } from "./log/cleanup.ts";
export { exportEntries, type ExportFormat, type ExportOptions } from "./log/export.ts";
export type { AuditHealth } from "./log/health.ts";
export type { EntryFilter, EntryQuery } from "./log/query.ts";
export { type Claim, openContent } from "./log/read-content.ts";
export type { Interaction, InteractionFields, Metadata } from "./capture/interaction.ts";
export type {
  RedactableField,
  Redaction,
  RedactFunction,
  RedactionOptions,
} from "./capture/redact.ts";
export { type AuditContext, currentAuditContext, withAuditContext } from "./capture/context.ts";
export {
  CAPTURE_OPTIONS,
  CallRecorder,
  type CaptureOptions,
  type CaptureStats,
  type RecordedCall,
} from "./capture/call.ts";
export {
  addFields,
  type CapturedFields,
  type GrowingFields,
  membersOf,
  mergeFields,
} from "./capture/fields.ts";
export type { CallLayer, CaptureOrigin } from "./capture/same-call.ts";
export { endOfTurn } from "./capture/end-of-turn.ts";
export {
  type AuditEntry,
  type EntryError,
  entryToLine,
  lineToEntry,
  type Outcome,
  type Run,
  type Trace,
  type Usage,
} from "./format/entry.ts";
export {
  type BinaryDigest,
  digestBase64,
  digestBytes,
  digestDataUrl,
  INLINE_BYTES,
} from "./format/binary-digest.ts";
export { canonicalJson, type JsonValue, type Replace, toJson } from "./format/canonical.ts";
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
export { FileStorage, type FileStorageOptions } from "./storage/file/file.ts";
export { type HoldOptions, listHolds, placeHold, releaseHold } from "./log/place-hold.ts";
export type { Hold } from "./storage/file/holds.ts";
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
export { Signer } from "./seal/signer.ts";
export { verifyLog, type VerifyOptions } from "./log/verify-log.ts";
export { verifySource, type VerifyProgress, type VerifySourceOptions } from "./verify/verifier.ts";
export {
  directorySource,
  type LogSource,
  type SourceFile,
  type SourceHome,
} from "./verify/log-source.ts";
export type {
  ExitCode,
  FileState,
  FileVerification,
  Pin,
  Problem,
  Verification,
} from "./verify/verification.ts";
export { type Evidence, judge } from "./verify/verdict.ts";
export { formatPin, parsePin } from "./verify/pin.ts";
export { proveEntries, proveEntry } from "./log/prove-entry.ts";
export {
  type EntryProof,
  proveEntriesIn,
  proveEntryIn,
  type ProvenEntry,
  type UnprovenEntry,
} from "./verify/prove.ts";
export { checkProof, type ProofCheck } from "./verify/proof.ts";
export { type LogAccess, logSourcesAt } from "./log/log-location.ts";
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
export {
  type ContentSide,
  type Detector,
  type DetectorContext,
  type Finding,
  textsOf,
  type Verdict,
} from "./capture/safety/detector.ts";
export { judgeCode, SAFETY_CODES, type SafetyCodes } from "./capture/safety/codes.ts";
export { safeLine, safeText } from "./format/safe-text.ts";
export { scrubSecrets } from "./capture/safety/scrub.ts";
export {
  type NamedPattern,
  patternDetector,
  type PatternDetectorOptions,
} from "./capture/safety/pattern-detector.ts";
export { PERSONAL_DATA_PATTERNS, SECRET_PATTERNS } from "./capture/safety/patterns.ts";
export {
  type Detection,
  type DetectionFields,
  runDetectors,
  type RunDetectorsOptions,
} from "./capture/safety/run-detectors.ts";
export { refuseUnknown } from "./format/known-names.ts";
