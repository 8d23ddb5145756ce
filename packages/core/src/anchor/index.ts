// @ai-audit/core/anchor: for programs that anchor a log outside its owner's reach.
export { AnchorLog } from "./anchor-log.ts";
export {
  type AnchorRunOptions,
  type AnchorRunResult,
  type AnchorState,
  beginAnchor,
  type BeginOptions,
  type KnownFile,
  type LeftOut,
  runAnchor,
} from "./anchorer.ts";
export { readAnchorKey, readAnchorState, writeAnchorKey, writeAnchorState } from "./key-file.ts";
export { type AnchorSink, type CheckpointToConfirm, type Confirmation } from "./sink.ts";
export { type AnchorStore, directoryStore } from "./store.ts";
export { type TimeStampOptions, timeStampSink } from "./time-stamp.ts";
export { type WitnessOptions, witnessSink } from "./witness.ts";
export { anchorStoreAt, type AnchorPlaceOptions } from "../log/anchor-store.ts";
export {
  type AnchorStatus,
  LogAnchor,
  type LogAnchorOptions,
  type SinkStatus,
} from "../log/log-anchor.ts";
export { type LogAccess, logSourcesAt } from "../log/location.ts";
export { KnownHeads } from "../storage/s3/known-heads.ts";
