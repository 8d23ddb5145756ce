// What a wrapper of an SDK or framework is built from: @ai-audit/core/capture.
export type { CallLogger, CallSink, CallStart, OpenCall } from "./call-sink.ts";
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
export type { Metadata } from "./interaction.ts";
export type { CallLayer, CaptureOrigin } from "./same-call.ts";
export { endOfTurn } from "./end-of-turn.ts";
export { judgeCode, type SafetyCodes } from "./safety/codes.ts";
export {
  type ContentSide,
  type Detector,
  type DetectorContext,
  type Finding,
  textsOf,
  type Verdict,
} from "./safety/detector.ts";
export {
  type Detection,
  type DetectionFields,
  runDetectors,
  type RunDetectorsOptions,
} from "./safety/run-detectors.ts";
export { scrubSecrets } from "./safety/scrub.ts";
export {
  type BinaryDigest,
  digestBase64,
  digestBytes,
  digestDataUrl,
  INLINE_BYTES,
} from "../format/binary-digest.ts";
export { type JsonValue, type Replace, toJson } from "../format/canonical.ts";
export type { EntryError, Outcome, Run, Usage } from "../format/entry.ts";
export { refuseUnknown } from "../format/known-names.ts";
