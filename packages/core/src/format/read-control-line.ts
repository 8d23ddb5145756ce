// Control lines as the verifier reads them: unknown members are ignored, malformed known ones make the line no such line.
import type {
  RemovalRecord,
  RetentionArchived,
  RetentionHold,
  RetentionPrune,
  RetentionRelease,
  RetentionSeen,
  SegmentClose,
  SegmentOpen,
  SegmentRef,
} from "./control-line.ts";
import { decodeBase64 } from "../seal/note.ts";
import { HASH_BYTES } from "../seal/merkle.ts";

/** What the first line of a file says about the file. */
export type FirstLine =
  | { readonly kind: "segment"; readonly open: SegmentOpen }
  /** It says that it opens a segment, and its members make no sense. */
  | { readonly kind: "malformed" }
  | { readonly kind: "unknown-version"; readonly version: string }
  /** No `segment.open` line. */
  | { readonly kind: "foreign" };

/** Reads a first line. */
export function readFirstLine(text: string): FirstLine {
  const line = parseObject(text);
  if (line?.["type"] !== "segment.open") return { kind: "foreign" };
  if (line["v"] !== 1) {
    return typeof line["v"] === "number"
      ? { kind: "unknown-version", version: String(line["v"]) }
      : { kind: "malformed" };
  }
  return isSegmentOpen(line) ? { kind: "segment", open: line } : { kind: "malformed" };
}

/** Reads a `segment.close` line. */
export function readSegmentClose(text: string): SegmentClose | undefined {
  const line = parseObject(text);
  return line !== undefined && isSegmentClose(line) ? line : undefined;
}

/** Reads a `retention.prune` or a `retention.archived` line. */
export function readRemovalRecord(text: string): RemovalRecord | undefined {
  const line = parseObject(text);
  return line !== undefined && (isRetentionPrune(line) || isRetentionArchived(line))
    ? line
    : undefined;
}

/** Reads any line of retention. */
export function readRetentionLine(
  text: string,
): RemovalRecord | RetentionHold | RetentionRelease | RetentionSeen | undefined {
  const removal = readRemovalRecord(text);
  const line = removal === undefined ? parseObject(text) : undefined;
  if (line === undefined) return removal;
  return isRetentionHold(line) || isRetentionRelease(line) || isRetentionSeen(line)
    ? line
    : undefined;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** A line's JSON object; undefined when it holds none. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // no JSON: what that means is the caller's to say
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSegmentOpen(line: JsonObject): line is JsonObject & SegmentOpen {
  const { file, stream, seq, created, vkey, prev, seen, sdk, expires } = line;
  return (
    isText(file) &&
    isText(stream) &&
    isCount(seq) &&
    isText(created) &&
    (vkey === null || isText(vkey)) &&
    (prev === null || isRef(prev)) &&
    Array.isArray(seen) &&
    seen.every(isRef) &&
    isText(sdk) &&
    (expires === undefined || isCount(expires))
  );
}

function isSegmentClose(line: JsonObject): line is JsonObject & SegmentClose {
  const { type, reason, leaves, entries } = line;
  return type === "segment.close" && isText(reason) && isCount(leaves) && isCount(entries);
}

function isRetentionPrune(line: JsonObject): line is JsonObject & RetentionPrune {
  const { type, file, leaves, root } = line;
  return type === "retention.prune" && isText(file) && isCount(leaves) && isRoot(root);
}

function isRetentionArchived(line: JsonObject): line is JsonObject & RetentionArchived {
  const { type, file, leaves, root } = line;
  return type === "retention.archived" && isText(file) && isCount(leaves) && isRoot(root);
}

function isRetentionHold(line: JsonObject): line is JsonObject & RetentionHold {
  const { type, hold, from, to, reason, actor } = line;
  const isBound = (bound: unknown): boolean => bound === null || isText(bound);
  return (
    type === "retention.hold" && [hold, reason, actor].every(isText) && isBound(from) && isBound(to)
  );
}

function isRetentionRelease(line: JsonObject): line is JsonObject & RetentionRelease {
  const { type, hold } = line;
  return type === "retention.release" && isText(hold);
}

function isRetentionSeen(line: JsonObject): line is JsonObject & RetentionSeen {
  const { type, seen } = line;
  return type === "retention.seen" && Array.isArray(seen) && seen.every(isRef);
}

function isRef(value: unknown): value is SegmentRef {
  return (
    isObject(value) && isText(value["file"]) && isCount(value["size"]) && isRoot(value["root"])
  );
}

/** Whether a value is a number of leaves, entries or segments. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Whether a value is a root hash in base64. */
export function isRoot(value: unknown): value is string {
  return typeof value === "string" && decodeBase64(value)?.byteLength === HASH_BYTES;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
