// @ai-audit/core/verify: everything for an auditor, and nothing that logs.
export {
  verifySource,
  verifySources,
  type VerifyProgress,
  type VerifySourceOptions,
} from "./verifier.ts";
export {
  directorySource,
  type LogSource,
  type SourceFile,
  type SourcePlace,
  type SourceLimit,
} from "./log-source.ts";
export {
  type AnchoredState,
  type AnchorEvidence,
  type AnchorReport,
  type ExitCode,
  type FileState,
  type FileVerification,
  type LogRecord,
  type NotJudged,
  type Pin,
  type Problem,
  type RecordedErasure,
  type RecordedHold,
  type RecordedLoss,
  type RecordedRemoval,
  type RetentionRule,
  STATE_EXIT_CODES,
  type UnendedCalls,
  type UnprotectedEnd,
  type Verification,
  worstState,
} from "./verification.ts";
export { formatPin, parsePin } from "./pin.ts";
export {
  type EntryProof,
  proveEntriesIn,
  proveEntryIn,
  type ProveOptions,
  type ProvenEntry,
  type UnprovenEntry,
} from "./prove.ts";
export { formatTlogProof, parseTlogProof, type TlogProof } from "../seal/tlog-proof.ts";
export {
  checkProof,
  type ExistedBy,
  type ProofCheck,
  type ProofCheckOptions,
} from "../anchor/check-proof.ts";
export { type AnchorPart, formatAnchoredProof, type TokenFile } from "../anchor/anchored-proof.ts";
export { type LogAccess, logSourcesAt } from "../log/location.ts";
export {
  type AnchoredEntryProof,
  type AnchorToProve,
  type ProveAccess,
  proveEntries,
  proveEntry,
} from "../log/prove-entry.ts";
export {
  type ContentCheck,
  type EntryContent,
  openContent,
  type OpenedContent,
} from "../log/content.ts";
export {
  type AnchorToVerify,
  readAnchors,
  verifyLog,
  type VerifyOptions,
} from "../log/verify-log.ts";
