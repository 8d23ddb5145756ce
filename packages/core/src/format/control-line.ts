// Control lines: facts about the log itself (docs/format.md, section 2). One table gives the
// members of each, in the order of the line, with their checks; writer and reader follow from it.
// Over 300 lines: the shapes of all lines and the table.
import { HASH_BYTES } from "../seal/merkle.ts";
import { decodeBase64 } from "../seal/note.ts";

/** A state of another segment: its file, and its tree at that size. */
export interface SegmentRef {
  /** File name without a directory. */
  readonly file: string;
  /** Leaves. */
  readonly size: number;
  /** Root hash in base64. */
  readonly root: string;
  /** The bytes behind the checkpoint of this state, where a crash left some. */
  readonly tail?: SegmentTail | undefined;
}

/** Bytes behind a last checkpoint, recorded so that they cannot be replaced unnoticed. */
export interface SegmentTail {
  /** Number of them. */
  readonly bytes: number;
  /** Their SHA-256, 64 hex digits. */
  readonly sha256: string;
}

/**
 * An earlier state of a file, and the proof that a later one only added leaves (RFC 6962, 2.1.2).
 */
export interface ConsistencyProof {
  /** Leaves of the earlier state. */
  readonly leaves: number;
  /** Its root hash in base64. */
  readonly root: string;
  /** Node hashes in base64. */
  readonly proof: readonly string[];
}

/**
 * Files of one day that ended and whose last state is on record. A writer looks at the others
 * alone, so that a start does not take longer with the number of files.
 */
export interface SettledFiles {
  /** As file names spell it: `YYYYMMDD`. */
  readonly day: string;
  /** Numbers of the files in ascending ranges: `0-17,19`. */
  readonly numbers: string;
  /**
   * The last state of the first of them. A writer believes the list only in a directory that has
   * this state: the same key may sign the segments of several directories.
   */
  readonly state: SegmentRef;
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
  /**
   * The verification key that the segment names; null when it is not signed. Readers must never
   * trust it for being here.
   */
  readonly vkey: string | null;
  /** The same writer's previous segment. */
  readonly prev: SegmentRef | null;
  /** Latest known states of other writers' segments. */
  readonly seen: readonly SegmentRef[];
  /** Name and version of the writing library. */
  readonly sdk: string;
  /**
   * Days after which the place itself removes objects (a bucket's lifecycle rule); absent without
   * such a rule.
   */
  readonly expires?: number | undefined;
  /** In a directory: the files that no later writer needs to look at. Absent where there are none. */
  readonly settled?: readonly SettledFiles[] | undefined;
}

/** Last leaf of a segment that was ended in order. */
export interface SegmentClose {
  readonly type: "segment.close";
  /** `close`, `day`, `size`, `order`, `clock`, `moved` or `retention`. */
  readonly reason: string;
  /** Leaves of the whole segment, this line included. */
  readonly leaves: number;
  /** Entries of the whole segment. */
  readonly entries: number;
  /** Number of them that record a call which another entry records too; absent when none does. */
  readonly linked?: number | undefined;
}

/** Seals every leaf before it. The only line that is no leaf. */
export interface CheckpointLine {
  readonly type: "checkpoint";
  /** A C2SP signed note. */
  readonly note: string;
}

/** Authorises the removal of a file, and is durable before the removal. */
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
  /**
   * Time of the file's removal, RFC 3339: kept when the line is carried on. Absent in older logs.
   */
  readonly at?: string | undefined;
  /**
   * Smaller states of the file that are on record or pinned, each proven to be a beginning of the
   * removed state.
   */
  readonly since?: readonly ConsistencyProof[] | undefined;
}

/**
 * Keeps every file with an entry of a time range from removal, until it is released. Second line of
 * its segment.
 */
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
 * States of segments that stay which only segments about to be removed recorded, as `seen` would.
 * In a bucket, where a first line has no room for them; a shipped segment is called
 * `<directory>/<file>`.
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
  /** RFC 3339. Absent in older logs. */
  readonly at?: string | undefined;
}

/** Entries that could not be written, counted. */
export interface Loss {
  readonly type: "loss";
  readonly entries: number;
  /** Times of the first and the last of them, RFC 3339. */
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** Time of the finding, RFC 3339. Absent in older logs. */
  readonly at?: string | undefined;
  /** Ids of the first and the last of them. */
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  /**
   * False where a write failed without reporting its length: the entries may be there.
   * @default true
   */
  readonly certain?: boolean | undefined;
}

/**
 * The lines that follow were written to another segment, where the write failed. From `leaf` on,
 * that segment is superseded by these lines.
 */
export interface Again {
  readonly type: "again";
  /** The segment whose write failed. */
  readonly file: string;
  /** Index of the first of the lines in that segment's tree. */
  readonly leaf: number;
  /** Ids of the first and the last entry among the lines; null when none of them is an entry. */
  readonly first: string | null;
  readonly last: string | null;
  /** Lines that follow, byte for byte as they were. */
  readonly count: number;
  /** Why the write failed: `EIO`, say. */
  readonly reason: string;
}

/**
 * A segment is shorter than its writer remembered outside the directory: it was cut, or a crash
 * took its end.
 */
export interface SegmentGap {
  readonly type: "segment.gap";
  readonly file: string;
  /** The state that was remembered. */
  readonly size: number;
  /** Root hash in base64. */
  readonly root: string;
  /** Leaves that the segment has now; null when the file is gone. */
  readonly found: number | null;
}

/**
 * An ancestor of a run. It has no entry of its own yet, and an entry or another run names it as its
 * parent.
 */
export interface RunStarted {
  readonly type: "run.started";
  readonly run: string;
  /** Null for a root. */
  readonly parent: string | null;
  /** The outermost run: its own id for a root. */
  readonly root: string;
  readonly name: string | null;
  /** The host's kind: `chain`, `agent` or `tool`, for example. */
  readonly kind: string | null;
  /** RFC 3339. */
  readonly at: string;
}

/** The writer is alive and had no other line to write. */
export interface Heartbeat {
  readonly type: "heartbeat";
  /** RFC 3339. */
  readonly at: string;
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
 * Authorises the removal of a directory's own copy of a file, and is durable before the removal.
 * The archive has confirmed that it holds the same bytes; there the line authorises nothing.
 */
export interface RetentionArchived {
  readonly type: "retention.archived";
  readonly file: string;
  readonly leaves: number;
  /** Root hash in base64. */
  readonly root: string;
  /** SHA-256 of the file's bytes, 64 hex digits. */
  readonly sha256: string;
  /** Its present place: `s3://bucket/key`. */
  readonly location: string;
  /**
   * Time of the copy's removal, RFC 3339: kept when the line is carried on. Absent in older logs.
   */
  readonly at?: string | undefined;
}

/** A line that authorises the removal of a file. */
export type RemovalLine = RetentionPrune | RetentionArchived;

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
  | Again
  | SegmentGap
  | CallStarted
  | RunStarted
  | Heartbeat;

/** The member that names the type of a control line. */
export type ControlType = ControlLine["type"];

/** The control line with a given type. */
export type ControlLineOf<T extends ControlType> = Extract<ControlLine, { readonly type: T }>;

/** The first bytes of every control line, and of no entry. */
export const CONTROL_PREFIX = '{"type":';
/** The first bytes of a line that is no leaf. */
export const CHECKPOINT_PREFIX = '{"type":"checkpoint",';

/** The first bytes of a control line of this type. */
export function prefixOf(type: ControlType): string {
  return `${CONTROL_PREFIX}"${type}",`;
}

/** A kind of value: its check, and the same value with its members in the order of the line. */
interface Kind<T> {
  readonly is: (value: unknown) => value is T;
  ordered(value: T): unknown;
}

function scalar<T>(is: (value: unknown) => value is T): Kind<T> {
  return { is, ordered: (value) => value };
}

function matching(pattern: RegExp): Kind<string> {
  return scalar((value): value is string => typeof value === "string" && pattern.test(value));
}

function literal<const T extends string | number>(wanted: T): Kind<T> {
  return scalar((value): value is T => value === wanted);
}

function orNull<T>(kind: Kind<T>): Kind<T | null> {
  return {
    is: (value): value is T | null => value === null || kind.is(value),
    ordered: (value) => (value === null ? null : kind.ordered(value)),
  };
}

function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return {
    is: (value): value is T | undefined => value === undefined || kind.is(value),
    ordered: (value) => (value === undefined ? undefined : kind.ordered(value)),
  };
}

function listOf<T>(kind: Kind<T>): Kind<readonly T[]> {
  return {
    is: (value): value is readonly T[] => Array.isArray(value) && value.every(kind.is),
    ordered: (value) => value.map((item) => kind.ordered(item)),
  };
}

/** An object of these members. Members that are not in the table are accepted and never written. */
function members<T extends object>(kinds: {
  readonly [M in keyof T]-?: Kind<T[M]>;
}): Kind<T> {
  const list: readonly (readonly [string, Kind<unknown>])[] = Object.entries<Kind<unknown>>(kinds);
  return {
    is: (value): value is T =>
      isObject(value) && list.every(([name, kind]) => kind.is(value[name])),
    ordered: (value) => {
      const line: Record<string, unknown> = {};
      for (const [name, kind] of list) line[name] = kind.ordered(Reflect.get(value, name));
      return line;
    },
  };
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a number of leaves, entries or segments. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Whether a value is a root hash in base64. */
export function isRoot(value: unknown): value is string {
  return typeof value === "string" && decodeBase64(value)?.byteLength === HASH_BYTES;
}

const text = scalar((value): value is string => typeof value === "string");
const flag = scalar((value): value is boolean => typeof value === "boolean");
const count = scalar(isCount);
const root = scalar(isRoot);
const sha256 = matching(/^[0-9a-f]{64}$/);
const tail = members<SegmentTail>({ bytes: count, sha256 });
const ref = members<SegmentRef>({ file: text, size: count, root, tail: optional(tail) });
/** Ascending ranges of numbers: `0-17,19`. */
const NUMBERS = /^\d+(-\d+)?(,\d+(-\d+)?)*$/;
const settledFiles = members<SettledFiles>({
  day: matching(/^\d{8}$/),
  numbers: matching(NUMBERS),
  state: ref,
});
const proof = members<ConsistencyProof>({ leaves: count, root, proof: listOf(root) });

/** Every control line: its members in the order of the line, with the check of each. */
const LINES: { readonly [T in ControlType]: Kind<ControlLineOf<T>> } = {
  "segment.open": members({
    type: literal("segment.open"),
    v: literal(1),
    file: text,
    stream: text,
    seq: count,
    created: text,
    vkey: orNull(text),
    prev: orNull(ref),
    seen: listOf(ref),
    sdk: text,
    expires: optional(count),
    settled: optional(listOf(settledFiles)),
  }),
  "segment.close": members({
    type: literal("segment.close"),
    reason: text,
    leaves: count,
    entries: count,
    linked: optional(count),
  }),
  checkpoint: members({ type: literal("checkpoint"), note: text }),
  "retention.prune": members({
    type: literal("retention.prune"),
    file: text,
    leaves: count,
    root,
    from: orNull(text),
    to: orNull(text),
    policy: text,
    actor: text,
    at: optional(text),
    since: optional(listOf(proof)),
  }),
  "retention.hold": members({
    type: literal("retention.hold"),
    hold: text,
    from: orNull(text),
    to: orNull(text),
    reason: text,
    actor: text,
    placed: text,
  }),
  "retention.release": members({
    type: literal("retention.release"),
    hold: text,
    reason: text,
    actor: text,
    released: text,
  }),
  "retention.archived": members({
    type: literal("retention.archived"),
    file: text,
    leaves: count,
    root,
    sha256,
    location: text,
    at: optional(text),
  }),
  "retention.seen": members({ type: literal("retention.seen"), seen: listOf(ref) }),
  "subject.erased": members({
    type: literal("subject.erased"),
    subject: text,
    actor: text,
    reason: text,
    at: optional(text),
  }),
  loss: members({
    type: literal("loss"),
    entries: count,
    from: text,
    to: text,
    reason: text,
    at: optional(text),
    first: optional(text),
    last: optional(text),
    certain: optional(flag),
  }),
  again: members({
    type: literal("again"),
    file: text,
    leaf: count,
    first: orNull(text),
    last: orNull(text),
    count,
    reason: text,
  }),
  "segment.gap": members({
    type: literal("segment.gap"),
    file: text,
    size: count,
    root,
    found: orNull(count),
  }),
  "call.started": members({
    type: literal("call.started"),
    call: text,
    timestamp: text,
    provider: orNull(text),
    model: orNull(text),
    operation: text,
    input_hash: text,
  }),
  "run.started": members({
    type: literal("run.started"),
    run: text,
    parent: orNull(text),
    root: text,
    name: orNull(text),
    kind: orNull(text),
    at: text,
  }),
  heartbeat: members({ type: literal("heartbeat"), at: text }),
};

/** The line of a control line, without its line feed: members in the order of the table. */
export function formatControlLine(line: ControlLine): string {
  return JSON.stringify(kindOf(line.type)?.ordered(line));
}

/** Whether a line's object is a control line of this version, with every member valid. */
export function isControlLine(line: unknown): line is ControlLine {
  return isObject(line) && (kindOf(line["type"])?.is(line) ?? false);
}

const KINDS: ReadonlyMap<unknown, Kind<ControlLine>> = new Map(
  Object.entries<Kind<ControlLine>>(LINES),
);

function kindOf(type: unknown): Kind<ControlLine> | undefined {
  return KINDS.get(type);
}
