// An anchor log as a whole: reads its leaves, checks them against its signed checkpoints, and
// appends.
import { verify } from "node:crypto";
import { MerkleTree, leafHash } from "../seal/merkle.ts";
import { formatCheckpoint, formatNote, parseNote, parseVkey } from "../seal/note.ts";
import type { Signer } from "../seal/signer.ts";
import { type AnchorRecord, formatAnchorFile, parseAnchorFile } from "./record.ts";
import { type AnchorStore, leafIndexOf, leafName } from "./store.ts";

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
    const count = this.names.reduce(
      (most, name) => Math.max(most, (leafIndexOf(name) ?? -1) + 1),
      0,
    );
    while (this.size < count && this.flaws.length === 0) {
      const first = this.size;
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
