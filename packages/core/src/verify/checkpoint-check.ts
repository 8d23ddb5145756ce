// One checkpoint line against the tree as it was computed, and its signature against the keys given.
import { verify } from "node:crypto";
import { formatControlLine, type SegmentOpen } from "../format/control-line.ts";
import {
  formatCheckpoint,
  formatNote,
  formatSignatureLine,
  parseVkey,
  type VerificationKey,
} from "../seal/note.ts";
import { readCheckpointLine } from "../format/read-control-line.ts";
import { originOf, UNSIGNED_NAME } from "../format/origin.ts";

/** The keys a verifier was given, by `<name>+<key hash>`. Never filled from the log itself. */
export type Keyring = ReadonlyMap<string, VerificationKey>;

/**
 * Reads the keys to trust.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when one is malformed.
 */
export function keyringOf(vkeys: readonly string[]): Keyring {
  return new Map(vkeys.map(parseVkey).map((key) => [`${key.name}+${key.keyHash}`, key]));
}

/** Base64 of a key hash (4 bytes) and an Ed25519 signature (64 bytes), and the line's end after it: `\n"}`. */
const SIGNATURE_CHARS = 92;
const SIGNATURE_END_CHARS = 4;
const KEY_HASH_BYTES = 4;

/** A checkpoint line that says what the tree says. Its signature is still to be verified. */
export interface GoodCheckpoint {
  readonly ok: true;
  /** The signed text. */
  readonly text: string;
  /** Undefined in an unsigned segment. */
  readonly signature: Buffer | undefined;
}

/** A checkpoint line that is not what the tree says. */
export interface BadCheckpoint {
  readonly ok: false;
  /** What was altered, as far as this line shows: itself, or the lines before it. */
  readonly altered: "checkpoint" | "lines" | "removed-lines";
  readonly message: string;
}

/** What the checkpoint lines of one segment must look like. */
export class CheckpointVerifier {
  readonly origin: string;
  /** `<name>+<key hash>` of the key that the segment says signs it; undefined for an unsigned segment. */
  readonly keyId: string | undefined;
  /** That key, when it is among those given. */
  readonly key: VerificationKey | undefined;
  readonly #named: VerificationKey | undefined;

  /** @throws {AuditConfigError} `AUDIT_KEY_INVALID` when the segment's `vkey` is none. */
  constructor(open: SegmentOpen, keyring: Keyring) {
    this.#named = open.vkey === null ? undefined : parseVkey(open.vkey);
    this.origin = originOf(this.#named?.name ?? UNSIGNED_NAME, open.stream, open.file);
    this.keyId = this.#named && `${this.#named.name}+${this.#named.keyHash}`;
    this.key = this.keyId === undefined ? undefined : keyring.get(this.keyId);
  }

  /**
   * Compares a line with what the writer would have written at this size and root, byte for byte: so a change in it
   * shows even where no key is known. Only the signature's own 64 bytes are left to `verifySignature`.
   */
  check(line: string, size: number, root: string): GoodCheckpoint | BadCheckpoint {
    const text = formatCheckpoint({ origin: this.origin, size, root });
    if (this.#named === undefined) {
      if (line === formatControlLine({ type: "checkpoint", note: formatNote(text, []) }))
        return { ok: true, text, signature: undefined };
      return this.#explain(line, text, size, root, undefined);
    }
    const { name, keyHash } = this.#named;
    const encoded = line.slice(-(SIGNATURE_CHARS + SIGNATURE_END_CHARS), -SIGNATURE_END_CHARS);
    const signature = Buffer.from(encoded, "base64").subarray(KEY_HASH_BYTES);
    const expected = formatControlLine({
      type: "checkpoint",
      note: formatNote(text, [formatSignatureLine({ name, keyHash, signature })]),
    });
    return line === expected
      ? { ok: true, text, signature }
      : this.#explain(line, text, size, root, signature);
  }

  #explain(
    line: string,
    text: string,
    size: number,
    root: string,
    signature: Buffer | undefined,
  ): BadCheckpoint {
    const { note: parsed, checkpoint: claimed } = readCheckpointLine(line) ?? {};
    if (parsed === undefined || claimed === undefined)
      return culprit("the checkpoint is malformed");
    if (this.#named !== undefined && parsed.signatures.length === 0)
      return culprit("the signature was removed");
    if (claimed.origin !== this.origin)
      return culprit(`the checkpoint is of ${claimed.origin}, not of ${this.origin}`);
    // A good signature over what the lines say shows that the lines are right and the checkpoint was changed.
    if (
      signature !== undefined &&
      this.key !== undefined &&
      verify(null, Buffer.from(text), this.key.publicKey, signature)
    ) {
      return culprit("the checkpoint was altered; the lines before it are as they were sealed");
    }
    if (claimed.size > size) {
      const message = `${claimed.size - size} ${lines(claimed.size - size)} removed`;
      return { ok: false, altered: "removed-lines", message };
    }
    if (claimed.size < size)
      return elsewhere(`${size - claimed.size} ${lines(size - claimed.size)} added`);
    if (claimed.root !== root) return elsewhere("the lines are not those that were sealed");
    return culprit("the checkpoint is not spelled as it was written");
  }
}

function culprit(message: string): BadCheckpoint {
  return { ok: false, altered: "checkpoint", message };
}

function elsewhere(message: string): BadCheckpoint {
  return { ok: false, altered: "lines", message };
}

function lines(count: number): string {
  return count === 1 ? "line was" : "lines were";
}
