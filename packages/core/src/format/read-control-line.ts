// Control lines as storages, the verifier and the command read them. Unknown members are ignored; a
// line with an invalid member is not read as a control line.
import { type Checkpoint, type Note, parseCheckpoint, parseNote } from "../seal/note.ts";
import {
  type ControlLine,
  type ControlLineOf,
  type ControlType,
  isControlLine,
  isObject,
  prefixOf,
  type RetentionHold,
  type SegmentOpen,
} from "./control-line.ts";

/** The facts about a file in its first line. */
export type FirstLine =
  | { readonly kind: "segment"; readonly open: SegmentOpen }
  /** A `segment.open` line with invalid members. */
  | { readonly kind: "malformed" }
  | { readonly kind: "unknown-version"; readonly version: string }
  /** Not a `segment.open` line. */
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
  return isControlLine(line) && line.type === "segment.open"
    ? { kind: "segment", open: line }
    : { kind: "malformed" };
}

/** Reads a control line; undefined for anything else. A hold is read as `readHold` says. */
export function readControlLine(text: string): ControlLine | undefined {
  if (text.startsWith(HOLD_PREFIX)) return readHold(text);
  const line = parseObject(text);
  return isControlLine(line) ? line : undefined;
}

/** Reads a control line of one of these types; undefined for anything else. */
export function readLineOf<T extends ControlType>(
  text: string,
  ...types: readonly T[]
): ControlLineOf<T> | undefined {
  if (!types.some((type) => text.startsWith(prefixOf(type)))) return undefined; // saves parsing
  const line = readControlLine(text);
  return line !== undefined && isOf(line, types) ? line : undefined;
}

function isOf<T extends ControlType>(
  line: ControlLine,
  types: readonly T[],
): line is ControlLineOf<T> {
  return types.some((type) => type === line.type);
}

const HOLD_PREFIX = prefixOf("retention.hold");

/**
 * A hold errs by keeping too much: an attacker who spoils one of its members must not end it. A
 * bound that cannot be read is open, and a reason, an actor or a time that cannot be read is empty.
 */
function readHold(text: string): RetentionHold | undefined {
  const { type, hold, from, to, reason, actor, placed } = parseObject(text) ?? {};
  if (type !== "retention.hold" || typeof hold !== "string") return undefined;
  return {
    type,
    hold,
    from: readBound(from),
    to: readBound(to),
    reason: readText(reason),
    actor: readText(actor),
    placed: readText(placed),
  };
}

function readBound(value: unknown): string | null {
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : null;
}

function readText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A checkpoint line taken apart. Nothing in it was verified. */
export interface ReadCheckpoint {
  /** The note as it stands on the line. */
  readonly text: string;
  readonly note: Note;
  readonly checkpoint: Checkpoint;
}

/**
 * Reads a checkpoint line; undefined for anything else, and for one whose note holds no checkpoint.
 */
export function readCheckpointLine(line: string): ReadCheckpoint | undefined {
  const text = readLineOf(line, "checkpoint")?.note;
  const note = text === undefined ? undefined : parseNote(text);
  const checkpoint = note && parseCheckpoint(note.text);
  return text !== undefined && note && checkpoint ? { text, note, checkpoint } : undefined;
}

/** The JSON object that a line holds; undefined when it holds none. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // not JSON: the caller decides what that means
  }
}
