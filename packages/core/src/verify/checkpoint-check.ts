// Compares one checkpoint line with the tree as it was computed.
import { verify } from "node:crypto";
import { formatControlLine, type SegmentOpen } from "../format/control-line.ts";
import { formatCheckpoint, formatNote, parseVkey, type VerificationKey } from "../seal/note.ts";
import { isTrustedAt, type TrustedKeys, spellValidity, type TrustedKey } from "./trusted-keys.ts";
import { timeOfSegment } from "./segment-time.ts";
import { readCheckpointLine } from "../format/read-control-line.ts";
import { originOf, UNSIGNED_NAME } from "../format/origin.ts";

/** Base64 of a key hash (4 bytes) and an Ed25519 signature (64 bytes). */
const SIGNATURE_CHARS = 92;
/** The end of every checkpoint line: of the note, its last line feed, and of the object. */
const LINE_END = '\\n"}';
const KEY_HASH_BYTES = 4;

/** A checkpoint line that agrees with the tree. Its signature is still to be verified. */
export interface GoodCheckpoint {
  readonly ok: true;
  /** The whole note. */
  readonly note: string;
  /** The signed text. */
  readonly text: string;
  /** Undefined in an unsigned segment. */
  readonly signature: Buffer | undefined;
}

/** A checkpoint line that disagrees with the tree. */
export interface BadCheckpoint {
  readonly ok: false;
  /** The altered part, as far as this line shows: itself, or the lines before it. */
  readonly altered: "checkpoint" | "lines" | "removed-lines";
  readonly message: string;
}

/** Checks the checkpoint lines of one segment. */
export class CheckpointVerifier {
  readonly origin: string;
  /** `<name>+<key hash>` of the key that the segment names; undefined for an unsigned segment. */
  readonly keyId: string | undefined;
  /** That key, when it was given and is trusted for the segment's time. */
  readonly key: TrustedKey | undefined;
  /** Why no given key vouches for the segment; undefined when the key was given. */
  readonly distrust: string | undefined;
  readonly #named: VerificationKey | undefined;
  /**
   * Parts of a checkpoint line before the size and behind the root. A line is compared with them
   * instead of being written anew: a log whose calls came one at a time has one for each entry.
   */
  readonly #begin: string;
  readonly #middle: string;

  /** @throws {AuditConfigError} `AUDIT_KEY_INVALID` when the segment's `vkey` is malformed. */
  constructor(open: SegmentOpen, keyring: TrustedKeys) {
    this.#named = open.vkey === null ? undefined : parseVkey(open.vkey);
    this.origin = originOf(this.#named?.name ?? UNSIGNED_NAME, open.stream, open.file);
    const spelled = formatControlLine({ type: "checkpoint", note: `${this.origin}\n` });
    this.#begin = spelled.slice(0, -'"}'.length);
    this.#middle = this.#named ? `\\n\\n— ${escaped(this.#named.name)} ` : "\\n";
    this.keyId = this.#named && `${this.#named.name}+${this.#named.keyHash}`;
    const given = this.keyId === undefined ? undefined : keyring.get(this.keyId);
    const isInTime = given !== undefined && isTrustedAt(given, timeOfSegment(open));
    this.key = isInTime ? given : undefined;
    if (given === undefined)
      this.distrust = `signed by ${this.keyId ?? "nobody"}, a key that was not given`;
    else if (!isInTime) {
      this.distrust = `signed by ${this.keyId ?? ""}, a key that is trusted for ${spellValidity(given)} alone`;
    }
  }

  /**
   * Compares a line with the one that the writer writes at this size and root, byte for byte: a
   * change in it shows even where no key is known. Only the signature's own 64 bytes are left to be
   * verified.
   */
  check(line: string, size: number, root: string): GoodCheckpoint | BadCheckpoint {
    const text = formatCheckpoint({ origin: this.origin, size, root });
    const before = `${this.#begin}${size}\\n${root}${this.#middle}`;
    if (this.#named === undefined) {
      return line === before + LINE_END
        ? { ok: true, note: formatNote(text, []), text, signature: undefined }
        : this.#explain(line, text, size, root, undefined);
    }
    const { name, keyHash } = this.#named;
    const encoded = line.slice(-(SIGNATURE_CHARS + LINE_END.length), -LINE_END.length);
    const bytes = Buffer.from(encoded, "base64");
    const signature = bytes.subarray(KEY_HASH_BYTES);
    const isAsWritten =
      line.length === before.length + SIGNATURE_CHARS + LINE_END.length &&
      line.startsWith(before) &&
      line.endsWith(LINE_END) &&
      bytes.toString("hex", 0, KEY_HASH_BYTES) === keyHash &&
      bytes.toString("base64") === encoded; // two spellings of a signature would be two lines
    return isAsWritten
      ? { ok: true, note: formatNote(text, [`— ${name} ${encoded}\n`]), text, signature }
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
    // A good signature over the root of the lines shows that the lines are right and the checkpoint
    // was changed.
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

/** As it stands within a JSON string. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
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
