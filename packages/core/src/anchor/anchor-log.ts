// An anchor log as a whole: reads its leaves, checks them against its signed checkpoints, and
// appends.
import { verify } from "node:crypto";
import { MerkleTree, leafHash } from "../seal/merkle.ts";
import { formatCheckpoint, formatNote, parseNote, parseVkey } from "../seal/note.ts";
import type { Signer } from "../seal/signer.ts";
import { type AnchorRecord, formatAnchorFile, parseAnchorFile, splitBundle } from "./record.ts";
import { type AnchorStore, BUNDLE_LEAVES, bundleName, leafName, leavesIn } from "./store.ts";

/** Files that are read at the same time: a bucket answers after some 20 ms. */
const AT_ONCE = 32;

/** What is wrong with an anchor log. */
export interface AnchorFlaw {
  readonly state: "TAMPERED" | "MISSING";
  readonly message: string;
}

/** An anchor log, read up to its last leaf that fits its checkpoints. */
export class AnchorLog {
  readonly store: AnchorStore;
  /** The key's name, and the origin of all checkpoints. */
  readonly origin: string;
  readonly records: AnchorRecord[] = [];
  /** Hashes of the leaves. */
  readonly leaves: Buffer[] = [];
  /** Root at each size, from 1, in base64. */
  readonly roots: string[] = [];
  readonly flaws: AnchorFlaw[] = [];
  /** Names of all files of the store. */
  names: readonly string[] = [];
  /** The last signed note; undefined where there is none. */
  note: string | undefined;
  readonly #vkey: string;
  readonly #tree = new MerkleTree();

  private constructor(store: AnchorStore, vkey: string) {
    this.store = store;
    this.#vkey = vkey;
    this.origin = parseVkey(vkey).name;
  }

  /**
   * Reads an anchor log.
   * @throws {AuditConfigError} `AUDIT_KEY_INVALID` for a malformed key; the store's own errors
   */
  static async read(store: AnchorStore, vkey: string): Promise<AnchorLog> {
    const log = new AnchorLog(store, vkey);
    await log.catchUp();
    return log;
  }

  /** Number of leaves. */
  get size(): number {
    return this.records.length;
  }

  /** The root at a size, in base64; undefined where the log has fewer leaves. */
  rootAt(size: number): string | undefined {
    return size === 0 ? new MerkleTree().root().toString("base64") : this.roots[size - 1];
  }

  /** Reads leaves that were appended since. */
  async catchUp(): Promise<void> {
    this.names = await this.store.list();
    const known = new Set(this.names);
    const count = leavesIn(this.names);
    while (this.size < count && this.flaws.length === 0) {
      const first = this.size;
      if (first % BUNDLE_LEAVES === 0 && known.has(bundleName(first))) {
        this.#readBundle(first, await this.store.read(bundleName(first)));
        continue;
      }
      const names = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, at) =>
        leafName(first + at),
      );
      for (const bytes of await Promise.all(names.map((name) => this.store.read(name))))
        if (this.flaws.length === 0) this.#readLeaf(this.size, bytes);
    }
    if (this.note !== undefined && !this.isSigned(this.note))
      this.#flaw(
        "TAMPERED",
        `its checkpoint at ${this.size} leaves is not signed by ${this.origin}`,
      );
  }

  #readBundle(first: number, bytes: Buffer | undefined): void {
    const files = splitBundle(bytes?.toString() ?? "");
    if (files?.length !== BUNDLE_LEAVES)
      return this.#flaw("TAMPERED", `the bundle of leaves from ${first} is not what was written`);
    for (const file of files)
      if (this.flaws.length === 0) this.#readLeaf(this.size, Buffer.from(file));
  }

  #readLeaf(index: number, bytes: Buffer | undefined): void {
    if (bytes === undefined)
      return this.#flaw("MISSING", `leaf ${index} is gone, and a later one is there`);
    const file = parseAnchorFile(bytes.toString());
    const note = file && parseNote(file.note);
    if (file === undefined || note === undefined)
      return this.#flaw("TAMPERED", `leaf ${index} is not what was written`);
    const tree = new MerkleTree(this.#tree.state());
    tree.append(leafHash(Buffer.from(file.record.line)));
    const root = tree.root().toString("base64");
    if (note.text !== formatCheckpoint({ origin: this.origin, size: index + 1, root }))
      return this.#flaw("TAMPERED", `leaf ${index} does not fit its checkpoint`);
    this.#take(file.record, file.note);
  }

  #take(record: AnchorRecord, note: string): void {
    const leaf = leafHash(Buffer.from(record.line));
    this.#tree.append(leaf);
    this.records.push(record);
    this.leaves.push(leaf);
    this.roots.push(this.#tree.root().toString("base64"));
    this.note = note;
  }

  #flaw(state: AnchorFlaw["state"], message: string): void {
    this.flaws.push({ state, message });
  }

  /** Whether a note is a checkpoint of this log, signed by its key. */
  isSigned(note: string): boolean {
    const parsed = parseNote(note);
    const { name, keyHash, publicKey } = parseVkey(this.#vkey);
    const line = parsed?.signatures.find((one) => one.name === name && one.keyHash === keyHash);
    if (parsed === undefined || line === undefined) return false;
    return verify(null, Buffer.from(parsed.text), publicKey, line.signature);
  }

  /**
   * Appends a leaf. False where another anchorer has taken its place: read again.
   * @throws the store's own errors
   */
  async append(record: AnchorRecord, signer: Signer): Promise<boolean> {
    const tree = new MerkleTree(this.#tree.state());
    tree.append(leafHash(Buffer.from(record.line)));
    const root = tree.root().toString("base64");
    const text = formatCheckpoint({ origin: this.origin, size: this.size + 1, root });
    const note = formatNote(text, [signer.sign(text)]);
    const bytes = Buffer.from(formatAnchorFile({ record, note }));
    if (!(await this.store.create(leafName(this.size), bytes))) return false;
    this.#take(record, note);
    return true;
  }
}

/** Bundles made in one run: an anchor log without any is bundled over several. */
const MAX_BUNDLES = 4;

/**
 * Makes the bundles that a place lacks: files of 256 leaves, so that years of leaves take few reads.
 * @param names Files of the place.
 * @throws the store's own errors
 */
export async function bundleLeaves(store: AnchorStore, names: readonly string[]): Promise<void> {
  const known = new Set(names);
  const full = Math.floor(leavesIn(names) / BUNDLE_LEAVES);
  const firsts = Array.from({ length: full }, (_, at) => at * BUNDLE_LEAVES);
  const missing = firsts.filter((first) => !known.has(bundleName(first)));
  for (const first of missing.slice(0, MAX_BUNDLES)) {
    const files: Buffer[] = [];
    while (files.length < BUNDLE_LEAVES) {
      const from = first + files.length;
      const indexes = Array.from({ length: AT_ONCE }, (_, at) => from + at);
      const read = await Promise.all(indexes.map((index) => store.read(leafName(index))));
      const found = read.filter((bytes) => bytes !== undefined);
      if (found.length < read.length) return; // the reader of the leaves says which is gone
      files.push(...found);
    }
    await store.create(bundleName(first), Buffer.concat(files));
  }
}
