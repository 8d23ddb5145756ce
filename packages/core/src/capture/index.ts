// The kit for wrappers of an SDK or a framework: @ai-audit/core/capture.
//
// A wrapper is a seam (how it sees the host's calls), a table of surfaces (what a request and an
// answer of each endpoint hold), and this kit for the parts that all wrappers share:
//
// - `CallRecorder` makes one entry per call, whatever the host: `begin()` may hold a call back
//   until its start is durable, `RecordedCall.end()` may hold the answer back until its entry is. A
//   hook that swallows errors uses the same calls and cannot hold back. A retry is an attempt of
//   its call (`attempts`) or a call with the same `run.parentId`, as the host tells. A loop of
//   model calls, a tool that is run or served, a decision of a person, a result that comes later:
//   each is an entry with its `operation`, linked by `run`.
// - `classifySafety` judges whole bodies, streams put together, and single answers that a host took
//   apart, each answer with its own verdict, by the tables in `safety/providers`.
// - `stream/` collects typed parts in bounded memory, in-band errors among them, and says whether a
//   stream reached its end.
// - `payload/` reads usage, errors, parameters, binaries and secrets in every provider's spelling.
export type { CallLogger, CallSink, CallStart, OpenCall, OpenRequest } from "./call-sink.ts";
export { currentRunScope } from "./context.ts";
export { runWithin, type RunScope } from "./run-scope.ts";
export {
  CAPTURE_OPTIONS,
  CallRecorder,
  type CaptureOptions,
  type CaptureStats,
  type RecordedCall,
} from "./call.ts";
export {
  addFields,
  type CapturedFields,
  type GrowingFields,
  membersOf,
  mergeFields,
} from "./fields.ts";
export {
  importedId,
  type ImportedContents,
  type ImportedEntry,
  importEntry,
  type ImportEntryOptions,
} from "./imported-entry.ts";
export type { Metadata } from "./interaction.ts";
export type { CallLayer, CaptureOrigin } from "./same-call.ts";
export { ForgottenWatch } from "./forgotten.ts";
export { endOfTurn } from "./end-of-turn.ts";
export { CallProgress } from "./progress.ts";
export { providerOfHost, serverOf } from "./providers.ts";
export {
  type ErrorReading,
  NO_FINISH_REASON,
  noAnswerFields,
  providerErrorFields,
  thrownErrorFields,
} from "./error-fields.ts";
export {
  Base64Digest,
  describeForm,
  digestMember,
  outlineBlob,
  outlineForm,
} from "./payload/binary.ts";
export {
  boundInput,
  boundOutput,
  type ContentBounds,
  digestContent,
  isOmission,
  tooLarge,
} from "./payload/bounds.ts";
export {
  causesOf,
  describeReported,
  describeThrown,
  type ErrorTypeOf,
  isFailureReason,
  NOT_JSON,
  type ThrownError,
} from "./payload/errors.ts";
export { LogprobsDigest, logprobsMetadata } from "./payload/logprobs.ts";
export { omittedParameters, parametersOf } from "./payload/parameters.ts";
export {
  countOf,
  defined,
  type Defined,
  type Fields,
  fieldsOf,
  firstCount,
  firstText,
  isEmpty,
  isFields,
  listOf,
  nameOf,
  pick,
  pickStated,
  textOf,
  undoubled,
} from "./payload/read.ts";
export {
  CENSOR,
  censorUrl,
  isClientSecret,
  isSecretName,
  scrubSecrets,
  withoutSecrets,
  withoutToolSecrets,
} from "./payload/secrets.ts";
export { snapshot } from "./payload/snapshot.ts";
export { usageFields } from "./payload/usage.ts";
export {
  classifySafety,
  finishReasonOf,
  SAFETY_CODES,
  type SafetyEvidence,
} from "./safety/classify.ts";
export { judgeCode, type SafetyCodes } from "./safety/codes.ts";
export {
  type Checked,
  ContentCheck,
  DETECTOR_OPTIONS,
  type DetectorOptions,
  unseenAlert,
} from "./safety/content-check.ts";
export {
  type ContentSide,
  type Detector,
  type DetectorContext,
  type DetectorFinding,
  textsOf,
  type DetectorVerdict,
} from "./safety/detector.ts";
export {
  type Detection,
  type DetectionFields,
  runDetectors,
  type RunDetectorsOptions,
} from "./safety/run-detectors.ts";
export { GrowingText, MergedDelta, MergedList, StreamBudget } from "./stream/accumulate.ts";
export { BodyPieces, eventsIn, LargeBody } from "./stream/body.ts";
export { boundaryOf, MultipartReader } from "./stream/multipart.ts";
export { guarded, GuardedCollector, type StreamCollector } from "./stream/collector.ts";
export { RecentMap } from "../bounded-map.ts";
export { clearFacts, isWord } from "./words.ts";
export { elapsedMs } from "../time.ts";
export {
  type BinaryDigest,
  digestBase64,
  digestBytes,
  digestDataUrl,
  INLINE_BYTES,
} from "../format/binary-digest.ts";
export { type JsonValue, type Replace, toJson } from "../format/canonical.ts";
export {
  type Actor,
  type EntryError,
  type Outcome,
  type Review,
  type ReviewVerdict,
  type Run,
  type Usage,
} from "../format/entry.ts";
export {
  anything,
  atLeast,
  callback,
  checkValues,
  flag,
  moreThan,
  oneOf,
  type OptionCheck,
  type OptionChecks,
  optionsOf,
} from "../options.ts";
