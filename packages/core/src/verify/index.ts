// What an auditor needs, and nothing that logs: @ai-audit/core/verify.
export { verifySource, type VerifyProgress, type VerifySourceOptions } from "./verifier.ts";
export { directorySource, type LogSource, type SourceFile, type SourceHome } from "./log-source.ts";
export type {
  ExitCode,
  FileState,
  FileVerification,
  Pin,
  Problem,
  Verification,
} from "./verification.ts";
export { type Evidence, judge } from "./verdict.ts";
export { formatPin, parsePin } from "./pin.ts";
export {
  type EntryProof,
  proveEntriesIn,
  proveEntryIn,
  type ProvenEntry,
  type UnprovenEntry,
} from "./prove.ts";
export { checkProof, type ProofCheck } from "./proof.ts";
export { type LogAccess, logSourcesAt } from "../log/location.ts";
export { proveEntries, proveEntry } from "../log/prove-entry.ts";
export { type ContentCheck, openContent, type OpenedContent } from "../log/content.ts";
export { verifyLog, type VerifyOptions } from "../log/verify-log.ts";
