// The metadata of an object: written, read, and compared with the object's bytes. Readers rely on
// it, and only the tree's part of it is sealed, so a verifier must compare it.
import { timeOfId } from "../../format/id.ts";
import { LF, splitLines } from "../../format/lines.ts";
import { dayOfSegment } from "../../format/segment-name.ts";
import { EntryTally, type SegmentDigest } from "../../retention/segment-digest.ts";
import { parseCheckpoint, parseNote } from "../../seal/note.ts";
import type { SegmentReport } from "../../verify/segment-report.ts";
import { controlKey, dayOf, entriesKey, parseSegmentFileName, shippedKey } from "./keys.ts";
import type { FetchedObject, Metadata } from "./bucket.ts";

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
  /** Number of them that record a call which another entry records too. */
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
  /** Whether it has entries that another segment of its directory may have too. */
  readonly isSecondTry: boolean;
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

/** Reads it; undefined for an object that is not a commit of this library. It is not proven. */
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
    ...(shipped.isSecondTry && { "audit-again": "1" }),
    ...(shipped.firstId !== "" && { "audit-first": shipped.firstId, "audit-last": shipped.lastId }),
    "audit-leaves": String(shipped.leaves),
    "audit-root": shipped.root,
  };
}

/** Reads it; undefined for an object that was not shipped. */
export function parseShippedMetadata(metadata: Metadata): ShippedMetadata | undefined {
  const directory = metadata["audit-directory"];
  if (directory === undefined) return undefined;
  return {
    directory,
    sha256: metadata["audit-sha256"] ?? "",
    entries: toCount(metadata["audit-entries"]) ?? 0,
    linked: toCount(metadata["audit-linked"]) ?? 0,
    isSecondTry: metadata["audit-again"] === "1",
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

/** A commit in its segment. */
export interface PlacedCommit {
  readonly key: string;
  /** The segment that its checkpoint is about. */
  readonly file: string;
  /** Key of the segment's object before it; undefined for the first. */
  readonly previous: string | undefined;
}

/** The flaw in the name or the metadata of a commit; empty when there is none. */
export function wrongClaims(
  { key, file, previous }: PlacedCommit,
  { body, metadata }: FetchedObject,
): string[] {
  const commit = parseCommitMetadata(metadata);
  const segment = parseSegmentFileName(file);
  if (!commit) return ["it has no metadata of a commit any more"];
  if (!segment) return [`${file} is not the name of a segment in a bucket`];
  const tally = new EntryTally();
  const isWhole = body.at(-1) === LF; // a body of a single entry has no line feed
  for (const line of isWhole ? splitLines(body) : [body]) tally.add(line);
  const { day, stream, seq } = segment;
  const time = timeOfId(tally.firstId);
  const keys =
    time === undefined
      ? [controlKey(day, stream, seq, commit.leaf)]
      : [
          entriesKey(tally.firstId, time, !isWhole),
          ...(isWhole ? [entriesKey(tally.firstId, time, false, stream)] : []),
        ];
  const isOfDay = time === undefined || dayOf(time) === day;
  return [
    ...(keys.includes(key) ? [] : [`its place is ${keys[0]}: an object under another name`]),
    ...(isOfDay ? [] : [`its entries are of ${dayOf(time)}, not of ${day}`]),
    ...wrongCounts(commit, tally),
    ...differs("as the last entry", commit.lastId, tally.lastId),
    ...differs("as the stream", commit.stream, stream),
    ...differs("as the object before", commit.previous ?? "", previous ?? ""),
  ];
}

/** The same for a shipped segment, after it was read to its end. */
export function wrongShippedClaims(
  { key, about }: { readonly key: string; readonly about: ShippedMetadata },
  { file, open, sealed }: SegmentReport,
  digest: SegmentDigest,
): string[] {
  const place = open && shippedKey(dayOfSegment(file) ?? "", open.stream, file);
  return [
    ...(place === undefined || place === key
      ? []
      : [`its place is ${place}: an object under another name`]),
    ...wrongCounts(about, digest),
    ...(about.isSecondTry === digest.isSecondTry
      ? []
      : [
          `its metadata says that it has ${about.isSecondTry ? "" : "no "}lines written again; that is not so`,
        ]),
    ...differs("as the first entry", about.firstId, digest.firstId),
    ...differs("as the last entry", about.lastId, digest.lastId),
    ...(about.leaves === sealed.size
      ? []
      : [`its metadata says ${about.leaves} leaves; ${sealed.size} are sealed`]),
    ...differs("as the root", about.root, sealed.root),
    ...differs("as the SHA-256", about.sha256, digest.sha256()),
  ];
}

function wrongCounts(
  said: { readonly entries: number; readonly linked: number },
  there: EntryTally,
): string[] {
  return [
    ...(said.entries === there.entries
      ? []
      : [`its metadata says ${said.entries} entries; there are ${there.entries}`]),
    ...(said.linked === there.linked
      ? []
      : [`its metadata says ${said.linked} linked entries; there are ${there.linked}`]),
  ];
}

function differs(what: string, said: string, there: string): string[] {
  return said === there
    ? []
    : [`its metadata says ${said || "nothing"} ${what}; it is ${there || "nothing"}`];
}
