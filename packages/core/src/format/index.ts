// The bytes of a log, written and read: @ai-audit/core/format.
export {
  type Actor,
  type AuditEntry,
  type Diagnostics,
  OUTCOMES,
  type Review,
  type Server,
} from "./entry.ts";
export { diagnosticsValue, readDiagnostics } from "./diagnostics.ts";
export { ENTRY_FIELDS, type EntryField, type FieldKind } from "./fields.ts";
export { entryToLine, lineToEntry } from "./entry-line.ts";
export { canonicalJson, isJsonObject, type JsonValue, toJson } from "./canonical.ts";
export { safeLine, safeText } from "./safe-text.ts";
export {
  type ControlLine,
  type ControlLineOf,
  type ControlType,
  formatControlLine,
  isObject,
} from "./control-line.ts";
export {
  type FirstLine,
  parseObject,
  readCheckpointLine,
  readControlLine,
  readFirstLine,
  readLineOf,
} from "./read-control-line.ts";
export { eachLine, LF, type LineBlock, LineSplitter } from "./lines.ts";
export { dayOfSegment, parseSegmentName, type SegmentName, segmentDay } from "./segment-name.ts";
export { timeOfId, timestampOf } from "./id.ts";
export { DAY_MS } from "../time.ts";
