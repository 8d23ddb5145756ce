// What an object of the log says about itself besides its bytes.
import { parseCheckpoint, parseNote } from "../../seal/note.ts";
import type { Metadata } from "./objects.ts";

/** Of an object that holds a commit. S3 allows 2 KiB of it. */
export interface CommitMetadata {
  readonly stream: string;
  /** Index, in its segment, of the object's first leaf. */
  readonly leaf: number;
  /** The signed note over all leaves of the segment up to and with this object's. */
  readonly note: string;
  /** The segment's first line, with its first object: leaf 0, before the leaves of the body. */
  readonly open: string | undefined;
  /** Key of the segment's object before this one: names it when it is gone. */
  readonly previous: string | undefined;
  /** Entries in the body. */
  readonly entries: number;
  /** How many of them record a call that another entry records too. */
  readonly linked: number;
  /** Id of the last entry; empty when there is none. */
  readonly lastId: string;
}

/** Of a closed segment shipped from a directory. */
export interface ShippedMetadata {
  /** Id of the directory it comes from: its segments refer to each other. */
  readonly directory: string;
  /** Of the whole file, base64. */
  readonly sha256: string;
  readonly entries: number;
  readonly linked: number;
  /** Ids of the first and the last entry; empty when there is none. */
  readonly firstId: string;
  readonly lastId: string;
  /** Leaves and root under the last checkpoint. */
  readonly leaves: number;
  readonly root: string;
}

/** As the object carries it. Notes and lines hold line feeds and may hold any letter: base64. */
export function formatCommitMetadata(commit: CommitMetadata): Metadata {
  return {
    "audit-stream": commit.stream,
    "audit-leaf": String(commit.leaf),
    "audit-checkpoint": toBase64(commit.note),
    ...(commit.open !== undefined && { "audit-open": toBase64(commit.open) }),
    ...(commit.previous !== undefined && { "audit-previous": commit.previous }),
    "audit-entries": String(commit.entries),
    ...(commit.linked > 0 && { "audit-linked": String(commit.linked) }),
    ...(commit.lastId !== "" && { "audit-last": commit.lastId }),
  };
}

/** Reads it; undefined for an object that is no commit of ours. Nothing of it is proven. */
export function parseCommitMetadata(metadata: Metadata): CommitMetadata | undefined {
  const stream = metadata["audit-stream"];
  const leaf = toCount(metadata["audit-leaf"]);
  const note = fromBase64(metadata["audit-checkpoint"]);
  if (stream === undefined || leaf === undefined || note === undefined) return undefined;
  return {
    stream,
    leaf,
    note,
    open: fromBase64(metadata["audit-open"]),
    previous: metadata["audit-previous"],
    entries: toCount(metadata["audit-entries"]) ?? 0,
    linked: toCount(metadata["audit-linked"]) ?? 0,
    lastId: metadata["audit-last"] ?? "",
  };
}

/** The tree that a commit's checkpoint claims. */
export function checkpointOf({
  note,
}: CommitMetadata): { origin: string; size: number; root: string } | undefined {
  const parsed = parseNote(note);
  return parsed && parseCheckpoint(parsed.text);
}

export function formatShippedMetadata(shipped: ShippedMetadata): Metadata {
  return {
    "audit-directory": shipped.directory,
    "audit-sha256": shipped.sha256,
    "audit-entries": String(shipped.entries),
    ...(shipped.linked > 0 && { "audit-linked": String(shipped.linked) }),
    ...(shipped.firstId !== "" && { "audit-first": shipped.firstId, "audit-last": shipped.lastId }),
    "audit-leaves": String(shipped.leaves),
    "audit-root": shipped.root,
  };
}

/** Reads it; undefined for an object that nothing shipped. */
export function parseShippedMetadata(metadata: Metadata): ShippedMetadata | undefined {
  const directory = metadata["audit-directory"];
  if (directory === undefined) return undefined;
  return {
    directory,
    sha256: metadata["audit-sha256"] ?? "",
    entries: toCount(metadata["audit-entries"]) ?? 0,
    linked: toCount(metadata["audit-linked"]) ?? 0,
    firstId: metadata["audit-first"] ?? "",
    lastId: metadata["audit-last"] ?? "",
    leaves: toCount(metadata["audit-leaves"]) ?? 0,
    root: metadata["audit-root"] ?? "",
  };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function fromBase64(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text, "base64").toString();
}

function toCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
