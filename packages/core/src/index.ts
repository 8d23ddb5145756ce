// The public surface of @ai-audit/core.
export { AuditLogger, type CallStart, type OpenCall, type SubjectRecord } from "./logger.ts";
export type { AuditLoggerOptions } from "./logger-options.ts";
export type { CleanupOptions, CleanupSchedule, ScheduleOptions } from "./cleanup.ts";
export { exportEntries, type ExportFormat, type ExportOptions } from "./export.ts";
export type { AuditHealth } from "./health.ts";
export type { EntryFilter, EntryQuery } from "./query.ts";
export { type Claim, openContent } from "./read-content.ts";
export type { Interaction, InteractionFields, Metadata } from "./interaction.ts";
export type { RedactableField, Redaction, RedactFunction, RedactionOptions } from "./redact.ts";
export { type AuditContext, currentAuditContext, withAuditContext } from "./context.ts";
export { CAPTURE_OPTIONS, CallRecorder, type CaptureOptions, type CaptureStats, type RecordedCall } from "./capture.ts";
export { addFields, type CapturedFields, type GrowingFields, membersOf, mergeFields } from "./captured-fields.ts";
export type { CallLayer, CaptureOrigin } from "./same-call.ts";
export { endOfTurn } from "./end-of-turn.ts";
export {
  type AuditEntry,
  type EntryError,
  entryToLine,
  lineToEntry,
  type Outcome,
  type Run,
  type Trace,
  type Usage,
} from "./entry.ts";
export { type BinaryDigest, digestBase64, digestBytes, digestDataUrl, INLINE_BYTES } from "./binary-digest.ts";
export { canonicalJson, type JsonValue, type Replace, toJson } from "./canonical.ts";
export { hashContent } from "./content.ts";
export {
  type ContentBinding,
  type ContentJwk,
  EncryptionManager,
  type EncryptionOptions,
} from "./crypto/encryption.ts";
export { FileKeyStore, type FileKeyStoreOptions } from "./crypto/file-key-store.ts";
export { environmentKeys, fileKeys, type KeyProvider } from "./crypto/key-provider.ts";
export type { KeyRing, Keys } from "./crypto/key-ring.ts";
export type { KeyStore, SubjectState } from "./crypto/key-store.ts";
export { generateKey, type SubjectKey } from "./crypto/keys.ts";
export { FileStorage, type FileStorageOptions } from "./storage/file.ts";
export { type HoldOptions, listHolds, placeHold, releaseHold } from "./storage/place-hold.ts";
export type { Hold } from "./storage/holds.ts";
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
export { Signer } from "./integrity/signer.ts";
export { verifyLog, type VerifyOptions } from "./verify-log.ts";
export { verifySource, type VerifyProgress, type VerifySourceOptions } from "./integrity/verify.ts";
export { directorySource, type LogSource, type SourceFile, type SourceHome } from "./integrity/log-source.ts";
export type { ExitCode, FileState, FileVerification, Pin, Problem, Verification } from "./integrity/verification.ts";
export { type Evidence, judge } from "./integrity/verdict.ts";
export { formatPin, parsePin } from "./integrity/pin.ts";
export { proveEntries, proveEntry } from "./prove-entry.ts";
export {
  type EntryProof,
  proveEntriesIn,
  proveEntryIn,
  type ProvenEntry,
  type UnprovenEntry,
} from "./integrity/prove.ts";
export { checkProof, type ProofCheck } from "./integrity/proof.ts";
export { type LogAccess, logSourcesAt } from "./log-location.ts";
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
} from "./safety/detector.ts";
export { judgeCode, SAFETY_CODES, type SafetyCodes } from "./safety/codes.ts";
export { safeLine, safeText } from "./safe-text.ts";
export { scrubSecrets } from "./safety/scrub.ts";
export { type NamedPattern, patternDetector, type PatternDetectorOptions } from "./safety/pattern-detector.ts";
export { PERSONAL_DATA_PATTERNS, SECRET_PATTERNS } from "./safety/patterns.ts";
export {
  type Detection,
  type DetectionFields,
  runDetectors,
  type RunDetectorsOptions,
} from "./safety/run-detectors.ts";
export { refuseUnknown } from "./known-names.ts";
