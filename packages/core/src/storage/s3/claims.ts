// What an object says about itself beside its bytes, against its bytes. Readers take its word for where to look and how
// much there is, so a verifier must not.
import { timeOfId } from "../../format/id.ts";
import { dayOfSegment } from "../../format/segment-name.ts";
import type { SegmentReport } from "../../verify/segment-report.ts";
import { EntryTally, type SegmentDigest } from "../../retention/segment-digest.ts";
import { splitLines } from "../../retention/trust.ts";
import { controlKey, dayOf, entriesKey, parseSegmentFileName, shippedKey } from "./keys.ts";
import { parseCommitMetadata, type ShippedMetadata } from "./metadata.ts";
import type { FetchedObject } from "./objects.ts";

const LF = 0x0a;

/** A commit in its segment. */
export interface PlacedCommit {
  readonly key: string;
  /** The segment that its checkpoint is about. */
  readonly file: string;
  /** Key of the segment's object before it; undefined for the first. */
  readonly previous: string | undefined;
}

/** What is wrong with the name and the metadata of a commit; empty when nothing is. */
export function wrongClaims(
  { key, file, previous }: PlacedCommit,
  { body, metadata }: FetchedObject,
): string[] {
  const commit = parseCommitMetadata(metadata);
  const segment = parseSegmentFileName(file);
  if (!commit) return ["it has no metadata of a commit any more"];
  if (!segment) return [`${file} is not how a segment in a bucket is called`];
  const tally = new EntryTally();
  const isWhole = body.at(-1) === LF; // the body of a single entry is that alone
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

/** The same of a shipped segment, once it was read through. */
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
