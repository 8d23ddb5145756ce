// The records of an anchor log: one leaf a run, and the states of segments that it covers. Every
// byte of an anchor log is written and read here. docs/anchoring.md has the format.
import { isCount, isRoot } from "../format/control-line.ts";
import { parseObject } from "../format/read-control-line.ts";
import { leafHash, rootOf } from "../seal/merkle.ts";
import { type Checkpoint, formatCheckpoint } from "../seal/note.ts";

/** The first leaf of an anchor log: how it began, and the rule of its owner. */
export interface AnchorBegin {
  readonly type: "anchor.begin";
  /** RFC 3339: the anchorer's own clock. */
  readonly at: string;
  /** `now`: files of earlier days were not verified. */
  readonly since: "start" | "now";
  /** Days for which the owner of the anchor expects files to be kept; null: no rule. */
  readonly retention: number | null;
  /** The last checkpoint of the anchor log that this one continues; null: none. */
  readonly previous: string | null;
}

/** One run: the states that changed since the run before. With none it is a heartbeat. */
export interface AnchorRun {
  readonly type: "anchor.run";
  /** RFC 3339: the anchorer's own clock. */
  readonly at: string;
  /** Number of states. */
  readonly states: number;
  /** Root, in base64, of a tree over the states' checkpoint texts. */
  readonly root: string;
  /** Sinks that did not confirm when they were last asked. Absent: none. */
  readonly unconfirmed?: readonly string[];
}

export type AnchorLeaf = AnchorBegin | AnchorRun;

/** One leaf, its own bytes, and the states that it covers. */
export interface AnchorRecord {
  readonly leaf: AnchorLeaf;
  /** The leaf's bytes, as the tree covers them. */
  readonly line: string;
  /** Sorted by origin. */
  readonly states: readonly Checkpoint[];
}

/** A record, and the signed checkpoint that it ends with. */
export interface AnchorFile {
  readonly record: AnchorRecord;
  /** The anchor log's signed note at the size with this leaf. */
  readonly note: string;
}

/** The record of a run. */
export function runRecord(
  at: Date,
  states: readonly Checkpoint[],
  unconfirmed: readonly string[],
): AnchorRecord {
  const sorted = states.toSorted((a, b) => (a.origin < b.origin ? -1 : 1));
  const leaf: AnchorRun = {
    type: "anchor.run",
    at: at.toISOString(),
    states: sorted.length,
    root: rootOfStates(sorted),
    ...(unconfirmed.length > 0 && { unconfirmed }),
  };
  return { leaf, line: JSON.stringify(leaf), states: sorted };
}

/** The first record. */
export function beginRecord(begin: Omit<AnchorBegin, "type">): AnchorRecord {
  const leaf: AnchorBegin = { type: "anchor.begin", ...begin };
  return { leaf, line: JSON.stringify(leaf), states: [] };
}

/** The root of the tree over the states' checkpoint texts, in base64. */
export function rootOfStates(states: readonly Checkpoint[]): string {
  return rootOf(states.map(hashOfState)).toString("base64");
}

/** The leaf hash of a state: of its checkpoint text, as it is signed in the log. */
export function hashOfState(state: Checkpoint): Buffer {
  return leafHash(Buffer.from(formatCheckpoint(state)));
}

/** The file of a leaf: the leaf, its states, a blank line, the signed note. */
export function formatAnchorFile({ record, note }: AnchorFile): string {
  const states = record.states.map(({ origin, size, root }) => `${origin} ${size} ${root}\n`);
  return `${record.line}\n${states.join("")}\n${note}`;
}

/** The files in a bundle, in their order; undefined for anything else. */
export function splitBundle(text: string): string[] | undefined {
  const files: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = endOfFile(text, at);
    if (end === undefined) return undefined;
    files.push(text.slice(at, end));
    at = end;
  }
  return files;
}

/** A file is the leaf and its states, the checkpoint's text, and signature lines. */
function endOfFile(text: string, from: number): number | undefined {
  const states = text.indexOf("\n\n", from);
  const checkpoint = states === -1 ? -1 : text.indexOf("\n\n", states + 2);
  if (checkpoint === -1) return undefined;
  let end = checkpoint + 2;
  while (text.startsWith("\u2014 ", end)) {
    const lineFeed = text.indexOf("\n", end);
    if (lineFeed === -1) return undefined;
    end = lineFeed + 1;
  }
  return end;
}

/** Takes a leaf's file apart; undefined for anything else. The note is not verified. */
export function parseAnchorFile(text: string): AnchorFile | undefined {
  const blank = text.indexOf("\n\n");
  if (blank === -1) return undefined;
  const [line = "", ...rest] = text.slice(0, blank).split("\n");
  const leaf = parseLeaf(line);
  const states = rest.map(readState).filter((state) => state !== undefined);
  if (leaf === undefined || states.length !== rest.length) return undefined;
  const counted = leaf.type === "anchor.run" ? leaf.states : 0;
  if (counted !== states.length) return undefined;
  if (leaf.type === "anchor.run" && leaf.root !== rootOfStates(states)) return undefined;
  return { record: { leaf, line, states }, note: text.slice(blank + 2) };
}

/** Reads a leaf; undefined for anything else. */
export function parseLeaf(line: string): AnchorLeaf | undefined {
  const { type, at, since, retention, previous, states, root, unconfirmed } =
    parseObject(line) ?? {};
  if (typeof at !== "string" || Number.isNaN(Date.parse(at))) return undefined;
  if (type === "anchor.begin") {
    if (since !== "start" && since !== "now") return undefined;
    if (retention !== null && !isCount(retention)) return undefined;
    if (previous !== null && typeof previous !== "string") return undefined;
    return { type, at, since, retention, previous };
  }
  if (type !== "anchor.run" || !isCount(states) || !isRoot(root)) return undefined;
  const names = Array.isArray(unconfirmed)
    ? unconfirmed.filter((name) => typeof name === "string")
    : [];
  return { type, at, states, root, ...(names.length > 0 && { unconfirmed: names }) };
}

function readState(line: string): Checkpoint | undefined {
  const [, origin, size, root] = /^(\S+) (0|[1-9]\d{0,15}) (\S+)$/u.exec(line) ?? [];
  if (origin === undefined || !isRoot(root)) return undefined;
  return isCount(Number(size)) ? { origin, size: Number(size), root } : undefined;
}
