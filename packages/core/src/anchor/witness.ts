// C2SP witnesses: a client of `add-checkpoint` (https://c2sp.org/tlog-witness), and the
// verification of cosignatures (https://c2sp.org/tlog-cosignature).
import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import { AuditConfigError } from "../errors.ts";
import {
  decodeBase64,
  formatNote,
  isKeyName,
  type NoteSignature,
  parseNote,
} from "../seal/note.ts";
import { type AnchorSink, reasonOf, RolledBack, spellLeaves } from "./sink.ts";
import { beginningOf } from "./bounded-answer.ts";

/** Signature type identifier of a cosignature with Ed25519. C2SP tlog-cosignature. */
const COSIGNATURE = 0x04;
const TIMESTAMP_BYTES = 8;
const SIGNATURE_BYTES = 64;
/** A witness answers with a few signature lines. */
const MAX_ANSWER_CHARS = 65_536;

/** The key of a witness. */
export interface WitnessKey {
  readonly name: string;
  /** 8 hex digits. */
  readonly keyHash: string;
  readonly publicKey: KeyObject;
}

/**
 * Reads a witness' key: `<name>+<key hash>+<base64(04 ‖ Ed25519 public key)>`.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when it is malformed or of another type.
 */
export function parseWitnessKey(vkey: string): WitnessKey {
  const [, name = "", keyHash = "", encoded = ""] =
    /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey) ?? [];
  const bytes = decodeBase64(encoded);
  if (!isKeyName(name) || bytes?.byteLength !== 33 || bytes[0] !== COSIGNATURE) {
    throw new AuditConfigError(
      "The key of a witness must look like <name>+<8 hex digits>+<base64 of 04 and an Ed25519 public key>",
      { code: "AUDIT_KEY_INVALID" },
    );
  }
  if (hash("sha256", Buffer.concat([Buffer.from(`${name}\n`), bytes])).slice(0, 8) !== keyHash) {
    throw new AuditConfigError(`The key of witness ${name} does not have its own hash`, {
      code: "AUDIT_KEY_INVALID",
    });
  }
  const x = bytes.subarray(1).toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return { name, keyHash, publicKey };
}

/**
 * The time of a witness' cosignature on a note, in milliseconds since the epoch. Undefined where
 * the note has none by this key, null where it has one that does not verify.
 */
export function timeOfCosignature(note: string, key: WitnessKey): number | undefined | null {
  const parsed = parseNote(note);
  const line = parsed?.signatures.find(
    ({ name, keyHash }) => name === key.name && keyHash === key.keyHash,
  );
  if (parsed === undefined || line === undefined) return undefined;
  return verifyCosignature(parsed.text, line, key) ?? null;
}

function verifyCosignature(
  text: string,
  { signature }: NoteSignature,
  { publicKey }: WitnessKey,
): number | undefined {
  if (signature.byteLength !== TIMESTAMP_BYTES + SIGNATURE_BYTES) return undefined;
  const seconds = signature.readBigUInt64BE(0);
  const signed = Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
  const isGood = verify(null, signed, publicKey, signature.subarray(TIMESTAMP_BYTES));
  return isGood ? Number(seconds) * 1000 : undefined;
}

/** Where and how to reach a witness. */
export interface WitnessOptions {
  /** Its key. */
  readonly vkey: string;
  /** Its submission prefix: `<url>/add-checkpoint` is called. */
  readonly url: string;
  /** Milliseconds between two checkpoints. @default 0: every run */
  readonly everyMs?: number;
  /** Milliseconds for one request. @default 15000 */
  readonly timeoutMs?: number;
}

/**
 * A sink that has a witness cosign checkpoints. The witness follows the anchor log: it refuses any
 * checkpoint that does not contain the last one that it saw.
 */
export function witnessSink({
  vkey,
  url,
  everyMs = 0,
  timeoutMs = 15_000,
}: WitnessOptions): AnchorSink {
  const key = parseWitnessKey(vkey);
  const endpoint = `${url.replace(/\/+$/, "")}/add-checkpoint`;
  return {
    name: key.name,
    everyMs,
    async confirm(checkpoint) {
      const ask = async (old: number): Promise<{ status: number; body: string }> => {
        const proof = checkpoint.proofFrom(old).map((node) => `${node.toString("base64")}\n`);
        const answer = await fetch(endpoint, {
          method: "POST",
          body: `old ${old}\n${proof.join("")}\n${checkpoint.note}`,
          signal: AbortSignal.timeout(timeoutMs),
        });
        const body = (await beginningOf(answer, MAX_ANSWER_CHARS)).toString();
        return { status: answer.status, body: body.slice(0, MAX_ANSWER_CHARS) };
      };
      let answer = await ask(checkpoint.lastSize);
      if (answer.status === 409) {
        const size = Number(answer.body);
        if (!Number.isSafeInteger(size) || size < 0) throw new Error("answered 409 without a size");
        if (size > checkpoint.size) {
          throw new RolledBack(
            `witness ${key.name} has seen ${spellLeaves(size)}, and this anchor log has ${checkpoint.size}`,
          );
        }
        answer = await ask(size);
      }
      if (answer.status === 422)
        throw new RolledBack(`witness ${key.name} has seen another history of this anchor log`);
      if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
      const { text, signatures } = splitNote(checkpoint.note);
      const note = formatNote(text, [signatures, answer.body]);
      if (typeof timeOfCosignature(note, key) !== "number")
        throw new Error(`answered without a cosignature by ${key.name}+${key.keyHash}`);
      return [{ kind: "witness", extension: "note", bytes: Buffer.from(note) }];
    },
    reasonOf,
  };
}

function splitNote(note: string): { text: string; signatures: string } {
  const blank = note.lastIndexOf("\n\n");
  return { text: note.slice(0, blank + 1), signatures: note.slice(blank + 2) };
}
