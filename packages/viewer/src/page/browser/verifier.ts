// Verifies the data of a page with WebCrypto alone, in a worker of the page. A second reading of
// the formats beside @ai-audit/core: RFC 6962, C2SP signed-note and tlog-checkpoint, RFC 8032.
import { type PageData, type PageEntry, parsePageData } from "../data.ts";

/** The state of one entry. */
export type EntryState = "proven" | "altered" | "unknown-key" | "unsigned";

/** The result for one entry. */
export interface EntryVerdict {
  readonly state: EntryState;
  /** In plain words, for an entry that is altered. */
  readonly problem?: string;
}

/** The result for a page. */
export interface PageVerdict {
  /** In the order of the data's entries. */
  readonly entries: readonly EntryVerdict[];
  /** Ids of the keys that proved entries: `<name>+<key hash>`. */
  readonly provenBy: readonly string[];
  /** Ids of the keys that the checkpoints name. Being named here is no reason to trust them. */
  readonly named: readonly string[];
}

/** A key to verify with. */
interface Key {
  readonly id: string;
  readonly name: string;
  readonly key: Awaited<ReturnType<typeof crypto.subtle.importKey>>;
}

/** A checkpoint, as far as the keys given vouch for it. */
interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly state: EntryState;
  readonly by?: string;
  readonly problem?: string;
}

/** @throws {Error} in plain words for a text that is not a verification key */
export async function readVkey(text: string): Promise<Key> {
  const [, name = "", keyHash = "", encoded = ""] =
    /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  const bytes = fromBase64(encoded);
  if (bytes === undefined || bytes.length !== 33 || bytes[0] !== 1)
    throw new Error("A verification key looks like name+8 hex digits+base64 of an Ed25519 key.");
  const digest = await sha256(concat(utf8(`${name}\n`), bytes));
  if (hex(digest.subarray(0, 4)) !== keyHash)
    throw new Error(`The key of ${name} does not have its own hash: a character is wrong.`);
  const key = await crypto.subtle.importKey("raw", bytes.slice(1), "Ed25519", false, ["verify"]);
  return { id: `${name}+${keyHash}`, name, key };
}

/**
 * Verifies the text of a page's data.
 *
 * @param onProgress Called with the number of entries that are verified.
 * @throws {Error} in plain words for data that cannot be read, or a key that is none
 */
export async function verifyPage(
  text: string,
  vkeys: readonly string[],
  onProgress: (verified: number) => void = () => undefined,
): Promise<{ readonly data: PageData; readonly verdict: PageVerdict }> {
  const keys = await Promise.all(vkeys.map(readVkey));
  const data = parsePageData(text);
  if (data === undefined) throw new Error("The data of this page cannot be read: it was altered.");
  const checkpoints = await Promise.all(data.checkpoints.map((note) => readNote(note, keys)));
  const trees = checkpoints.map((checkpoint) => new Tree(checkpoint, data.nodes));
  const entries: EntryVerdict[] = [];
  const seen = new Set<string>();
  for (let from = 0; from < data.entries.length; from += BATCH) {
    const batch = data.entries.slice(from, from + BATCH);
    const leaves = await Promise.all(batch.map(({ line }) => leafHash(line)));
    for (const [place, entry] of batch.entries()) {
      const problem = await problemOf(entry, leaves[place], trees[entry.checkpoint], seen);
      const checkpoint = checkpoints[entry.checkpoint];
      const found = problem ?? checkpoint?.problem;
      entries.push(
        found === undefined
          ? { state: checkpoint?.state ?? "unknown-key" }
          : { state: "altered", problem: found },
      );
    }
    onProgress(entries.length);
  }
  const provenBy = new Set(
    checkpoints.flatMap(({ state, by }) => (state === "proven" && by ? [by] : [])),
  );
  const named = new Set(data.checkpoints.flatMap(signersOf));
  return { data, verdict: { entries, provenBy: [...provenBy], named: [...named] } };
}

/** Entries hashed at once. */
const BATCH = 2000;

async function problemOf(
  { line, index, path }: PageEntry,
  leaf: Uint8Array<ArrayBuffer> | undefined,
  tree: Tree | undefined,
  seen: Set<string>,
): Promise<string | undefined> {
  const id = idOf(line);
  if (id === undefined) return "the line does not begin with an entry id";
  if (seen.has(id)) return "the entry is here twice";
  seen.add(id);
  if (leaf === undefined || tree === undefined) return "it has no checkpoint";
  return (await tree.holds(leaf, index, path)) ? undefined : "the line is not what was sealed";
}

/** The id of an entry's line, at its fixed place. */
export function idOf(line: string): string | undefined {
  return /^\{"id":"([0-9a-f-]{36})"/.exec(line.slice(0, 44))?.[1];
}

/**
 * The tree of a checkpoint. Nodes that led to its root are remembered, so that each is hashed once.
 */
class Tree {
  readonly #checkpoint: Checkpoint;
  readonly #nodes: readonly string[];
  /** Nodes of the tree in base64, by their place: see `placeOf()`. */
  readonly #known = new Map<number, string>();

  constructor(checkpoint: Checkpoint, nodes: readonly string[]) {
    this.#checkpoint = checkpoint;
    this.#nodes = nodes;
  }

  /** Whether the leaf is in the tree at this index. RFC 9162, 2.1.3.2. */
  async holds(
    leaf: Uint8Array<ArrayBuffer>,
    index: number,
    path: readonly number[],
  ): Promise<boolean> {
    const { size, root } = this.#checkpoint;
    if (index >= size) return false;
    const found = new Map<number, string>();
    let [at, last, level] = [index, size - 1, 0];
    let node = base64(leaf);
    let isKnown = false;
    for (const place of path) {
      const sibling = this.#nodes[place] ?? "";
      if (last === 0) return false;
      if (!isKnown) {
        const known = this.#known.get(placeOf(level, at));
        if (known !== undefined && known !== node) return false;
        isKnown = known !== undefined;
        if (!isKnown) found.set(placeOf(level, at), node);
      }
      const isRight = at % 2 === 1 || at === last;
      if (isRight) while (at % 2 === 0) [at, last, level] = [at / 2, half(last), level + 1];
      const beside = placeOf(level, isRight ? at - 1 : at + 1);
      if (isKnown) {
        if (this.#known.get(beside) !== sibling) return false;
      } else {
        found.set(beside, sibling);
        node = await (isRight ? nodeHash(sibling, node) : nodeHash(node, sibling));
      }
      [at, last, level] = [half(at), half(last), level + 1];
    }
    if (last !== 0 || (!isKnown && node !== root)) return false;
    for (const [position, hash] of found) this.#known.set(position, hash);
    return true;
  }
}

/** A number for a level and an index in it. */
function placeOf(level: number, index: number): number {
  return index * 64 + level;
}

function half(count: number): number {
  return Math.floor(count / 2);
}

/** Reads a note, and verifies its signatures by the keys given. */
async function readNote(note: string, keys: readonly Key[]): Promise<Checkpoint> {
  const blank = note.lastIndexOf("\n\n");
  const text = note.slice(0, blank + 1);
  const [, origin = "", digits = "", root = ""] =
    /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text) ?? [];
  const lines = note.slice(blank + 2).split("\n");
  const parsed = { origin, size: Number(digits), root };
  if (blank < 1 || origin === "" || lines.pop() !== "")
    return { ...parsed, state: "altered", problem: "its checkpoint is malformed" };
  let by: string | undefined;
  for (const line of lines) {
    const [, name = "", encoded = ""] = /^— ([^ ]+) ([A-Za-z0-9+/=]+)$/.exec(line) ?? [];
    const bytes = fromBase64(encoded);
    if (bytes === undefined || bytes.length < 5)
      return { ...parsed, state: "altered", problem: "a signature of its checkpoint is malformed" };
    const id = `${name}+${hex(bytes.subarray(0, 4))}`;
    const key = keys.find((each) => each.id === id);
    if (key === undefined) continue;
    // C2SP signed-note: one bad signature by a known key spoils the note.
    if (!(await crypto.subtle.verify("Ed25519", key.key, bytes.slice(4), utf8(text))))
      return { ...parsed, state: "altered", problem: `the signature by ${id} does not verify` };
    if (origin.startsWith(`${key.name}/`)) by = id;
  }
  if (by !== undefined) return { ...parsed, state: "proven", by };
  const isUnsigned = lines.length === 0 && origin.startsWith("unsigned/");
  return { ...parsed, state: isUnsigned ? "unsigned" : "unknown-key" };
}

function signersOf(note: string): string[] {
  return note
    .slice(note.lastIndexOf("\n\n") + 2)
    .split("\n")
    .flatMap((line) => {
      const [, name = "", encoded = ""] = /^— ([^ ]+) (\S+)$/.exec(line) ?? [];
      const bytes = fromBase64(encoded);
      return bytes === undefined || name === "" ? [] : [`${name}+${hex(bytes.subarray(0, 4))}`];
    });
}

async function leafHash(line: string): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(concat(Uint8Array.of(0), utf8(line)));
}

/** The hash of two nodes, all in base64. */
async function nodeHash(left: string, right: string): Promise<string> {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES);
  bytes[0] = 1;
  const chars = atob(left) + atob(right);
  for (let at = 0; at < chars.length; at += 1) bytes[at + 1] = chars.charCodeAt(at);
  return base64(await sha256(bytes));
}

const HASH_BYTES = 32;

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Decodes standard base64; undefined for any other spelling of the same bytes. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const chars = atob(text);
    const bytes = new Uint8Array(chars.length);
    for (let at = 0; at < chars.length; at += 1) bytes[at] = chars.charCodeAt(at);
    return base64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined; // not base64: the caller says what that means
  }
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
