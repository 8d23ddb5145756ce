// Control lines: what a log says about itself. `type` comes first, and members are in the order of docs/format.md.
// Their shapes are those on the line, so that this file is all there is to know about them.

/** A state of another segment: its file, and its tree at that size. */
export interface SegmentRef {
  /** File name without a directory. */
  readonly file: string;
  /** Leaves. */
  readonly size: number;
  /** Root hash in base64. */
  readonly root: string;
}

/** First line of every segment. */
export interface SegmentOpen {
  readonly type: "segment.open";
  /** Version of the format. */
  readonly v: 1;
  readonly file: string;
  readonly stream: string;
  /** Place in the stream. */
  readonly seq: number;
  /** RFC 3339. */
  readonly created: string;
  /** Which key to ask for; null when nothing is signed. It must never be trusted itself. */
  readonly vkey: string | null;
  /** The same writer's previous segment. */
  readonly prev: SegmentRef | null;
  /** Latest known states of other writers' segments. */
  readonly seen: readonly SegmentRef[];
  /** Name and version of the writing library. */
  readonly sdk: string;
  /** Days after which the place itself removes what is older (a bucket's lifecycle rule); absent where none does. */
  readonly expires?: number | undefined;
}

/** Last leaf of a segment that was ended in order. */
export interface SegmentClose {
  readonly type: "segment.close";
  readonly reason: string;
  /** Leaves of the whole segment, this line included. */
  readonly leaves: number;
  /** Entries of the whole segment. */
  readonly entries: number;
  /** How many of them record a call that another entry records too; absent when none does. */
  readonly linked?: number | undefined;
}

/** Seals every leaf before it. The only line that is no leaf. */
export interface CheckpointLine {
  readonly type: "checkpoint";
  /** A C2SP signed note. */
  readonly note: string;
}

/** Authorises the removal of a file, and is durable before the file goes. */
export interface RetentionPrune {
  readonly type: "retention.prune";
  readonly file: string;
  readonly leaves: number;
  /** Root hash in base64. */
  readonly root: string;
  /** Timestamps of the oldest and the newest entry removed, RFC 3339; null when there was none. */
  readonly from: string | null;
  readonly to: string | null;
  readonly policy: string;
  readonly actor: string;
}

/** Keeps every file with an entry of a time range from removal, until it is released. Second line of its segment. */
export interface RetentionHold {
  readonly type: "retention.hold";
  readonly hold: string;
  /** First and last timestamp held, RFC 3339, both inclusive; null for an open end. */
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: string;
  readonly actor: string;
  /** RFC 3339. */
  readonly placed: string;
}

/** Ends a hold. Second line of its segment. */
export interface RetentionRelease {
  readonly type: "retention.release";
  readonly hold: string;
  readonly reason: string;
  readonly actor: string;
  /** RFC 3339. */
  readonly released: string;
}

/**
 * States of segments that stay which only segments about to be removed recorded, as `seen` would. In a bucket, where a
 * first line has no room for them; a shipped segment is called `<directory>/<file>`.
 */
export interface RetentionSeen {
  readonly type: "retention.seen";
  readonly seen: readonly SegmentRef[];
}

/** The secret of a data subject was destroyed. */
export interface SubjectErased {
  readonly type: "subject.erased";
  readonly subject: string;
  readonly actor: string;
  readonly reason: string;
}

/** Entries that could not be written, counted. */
export interface Loss {
  readonly type: "loss";
  readonly entries: number;
  /** RFC 3339. */
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** A call is under way; its entry names `call`. */
export interface CallStarted {
  readonly type: "call.started";
  readonly call: string;
  readonly timestamp: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly operation: string;
  readonly input_hash: string;
}

/**
 * Authorises the removal of a directory's own copy of a file, and is durable before it goes. The archive has confirmed
 * that it holds the same bytes; there the line authorises nothing.
 */
export interface RetentionArchived {
  readonly type: "retention.archived";
  readonly file: string;
  readonly leaves: number;
  /** Root hash in base64. */
  readonly root: string;
  /** SHA-256 of the file's bytes, 64 hex digits. */
  readonly sha256: string;
  /** Where it is now: `s3://bucket/key`. */
  readonly location: string;
}

/** A line that authorises the removal of a file. */
export type RemovalRecord = RetentionPrune | RetentionArchived;

/** Every control line of format version 1. */
export type ControlLine =
  | SegmentOpen
  | SegmentClose
  | CheckpointLine
  | RetentionPrune
  | RetentionHold
  | RetentionRelease
  | RetentionArchived
  | RetentionSeen
  | SubjectErased
  | Loss
  | CallStarted;

/** Order of members on the line; `type` comes before them. */
const MEMBERS = {
  "segment.open": [
    "v",
    "file",
    "stream",
    "seq",
    "created",
    "vkey",
    "prev",
    "seen",
    "sdk",
    "expires",
  ],
  "segment.close": ["reason", "leaves", "entries", "linked"],
  checkpoint: ["note"],
  "retention.prune": ["file", "leaves", "root", "from", "to", "policy", "actor"],
  "retention.hold": ["hold", "from", "to", "reason", "actor", "placed"],
  "retention.release": ["hold", "reason", "actor", "released"],
  "retention.archived": ["file", "leaves", "root", "sha256", "location"],
  "retention.seen": ["seen"],
  "subject.erased": ["subject", "actor", "reason"],
  loss: ["entries", "from", "to", "reason"],
  "call.started": ["call", "timestamp", "provider", "model", "operation", "input_hash"],
} as const satisfies {
  [T in ControlLine["type"]]: readonly Exclude<keyof Extract<ControlLine, { type: T }>, "type">[];
};

/** What every control line begins with, and no entry does. */
export const CONTROL_PREFIX = '{"type":';
/** What makes a line no leaf. */
export const CHECKPOINT_PREFIX = '{"type":"checkpoint",';

/** Text of a first line, without the line feed. */
export function segmentOpen(line: Omit<SegmentOpen, "type">): string {
  return toText({ type: "segment.open", ...line });
}

/** Text of a last line, without the line feed. */
export function segmentClose(line: Omit<SegmentClose, "type">): string {
  return toText({ type: "segment.close", ...line });
}

/** Text of a checkpoint line, without the line feed. */
export function checkpoint(line: Omit<CheckpointLine, "type">): string {
  return toText({ type: "checkpoint", ...line });
}

/** Text of a `retention.prune` line, without the line feed. */
export function retentionPrune(line: Omit<RetentionPrune, "type">): string {
  return toText({ type: "retention.prune", ...line });
}

/** Text of a `retention.hold` line, without the line feed. */
export function retentionHold(line: Omit<RetentionHold, "type">): string {
  return toText({ type: "retention.hold", ...line });
}

/** Text of a `retention.release` line, without the line feed. */
export function retentionRelease(line: Omit<RetentionRelease, "type">): string {
  return toText({ type: "retention.release", ...line });
}

/** Text of a `retention.archived` line, without the line feed. */
export function retentionArchived(line: Omit<RetentionArchived, "type">): string {
  return toText({ type: "retention.archived", ...line });
}

/** Text of a `retention.seen` line, without the line feed. */
export function retentionSeen(line: Omit<RetentionSeen, "type">): string {
  return toText({ type: "retention.seen", ...line });
}

/** Text of a `subject.erased` line, without the line feed. */
export function subjectErased(line: Omit<SubjectErased, "type">): string {
  return toText({ type: "subject.erased", ...line });
}

/** Text of a `loss` line, without the line feed. */
export function loss(line: Omit<Loss, "type">): string {
  return toText({ type: "loss", ...line });
}

/** Text of a `call.started` line, without the line feed. */
export function callStarted(line: Omit<CallStarted, "type">): string {
  return toText({ type: "call.started", ...line });
}

function toText(line: ControlLine): string {
  const values: Partial<Record<string, unknown>> = { ...line };
  const ordered: Record<string, unknown> = { type: line.type };
  for (const member of MEMBERS[line.type]) ordered[member] = values[member];
  if (line.type === "segment.open") {
    ordered["prev"] = line.prev === null ? null : orderedRef(line.prev);
  }
  if (line.type === "segment.open" || line.type === "retention.seen")
    ordered["seen"] = line.seen.map(orderedRef);
  return JSON.stringify(ordered);
}

function orderedRef({ file, size, root }: SegmentRef): SegmentRef {
  return { file, size, root };
}
