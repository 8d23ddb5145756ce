// Checks that an entry was sealed, from its proof's text and the trusted keys alone.
import { verify } from "node:crypto";
import { safeLine } from "../format/safe-text.ts";
import { idOf } from "./locate.ts";
import { leafHash, rootOfInclusion } from "../seal/merkle.ts";
import { type Checkpoint, type Note, parseCheckpoint, parseNote } from "../seal/note.ts";
import { fileOfOrigin, UNSIGNED_NAME } from "../format/origin.ts";
import { timeOfId } from "../format/id.ts";
import { parseTlogProof } from "../seal/tlog-proof.ts";
import type { ExitCode } from "./verification.ts";
import { isTrustedAt, type TrustedKeys, readTrustedKeys } from "./trusted-keys.ts";
import { timeOfSegment } from "./segment-time.ts";

/** The result of checking the seal of a proof. */
export interface SealedProofCheck {
  /**
   * 0 proven by a given key, 1 refuted, 2 consistent but no given key vouches for it, 3 not a
   * proof.
   */
  readonly exitCode: ExitCode;
  readonly state: "OK" | "TAMPERED" | "UNKNOWN_KEY" | "UNSIGNED" | "MALFORMED";
  /** One line in plain words. */
  readonly verdict: string;
  /** The entry's line, when the path leads from it to the checkpoint's root. */
  readonly line?: string;
  readonly entryId?: string;
  /** The checkpoint that covers it. */
  readonly checkpoint?: Checkpoint;
  /** The line's index in the tree, from 0. */
  readonly index?: number;
  readonly signedBy?: string;
}

/** The keys that a proof is checked with. */
export interface SealedProofCheckOptions {
  /** The source of the trust in the keys, for the verdict: `--trust`. @default not stated */
  readonly trustedBy?: string;
}

/**
 * Checks a proof from its text alone.
 * @param trustedKeys `vkey`s of the keys that may have signed, or `vkey@from..to` for one that is
 * trusted for a time.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when a trusted key is malformed.
 */
export function checkSealedProof(
  text: string,
  trustedKeys: readonly string[],
  options: SealedProofCheckOptions = {},
): SealedProofCheck {
  const keyring = readTrustedKeys(trustedKeys);
  const proof = parseTlogProof(text);
  const note = proof && parseNote(proof.note);
  const checkpoint = note && parseCheckpoint(note.text);
  if (proof?.extra === undefined || note === undefined || checkpoint === undefined) {
    return {
      exitCode: 3,
      state: "MALFORMED",
      verdict: "NOT VERIFIED: this is not a proof of an entry",
    };
  }
  const { extra, index, path } = proof;
  const { size } = checkpoint;
  const root = rootOfInclusion({ leaf: leafHash(extra), index, size, path })?.toString("base64");
  if (root !== checkpoint.root) {
    return {
      exitCode: 1,
      state: "TAMPERED",
      verdict: "TAMPERED: the line is not in the tree at this place",
    };
  }
  const line = extra.toString();
  const entryId = idOf(line);
  const found = { line, checkpoint, index, ...(entryId !== undefined && { entryId }) };
  const time = timeOfSegment({
    file: fileOfOrigin(checkpoint.origin),
    created: new Date(timeOfId(entryId ?? "") ?? 0).toISOString(),
  });
  const trusted = new Map([...keyring].filter(([, key]) => isTrustedAt(key, time)));
  const judgement = judgeSignatures(note, checkpoint, {
    keyring: trusted,
    what: entryId ?? "this line",
    by: options.trustedBy === undefined ? "" : ` (trusted by ${options.trustedBy})`,
  });
  return { ...found, ...judgement, verdict: safeLine(judgement.verdict) }; // origin and names come from the note
}

type Judgement = Pick<SealedProofCheck, "exitCode" | "state" | "verdict" | "signedBy">;

function judgeSignatures(
  note: Note,
  { origin }: Checkpoint,
  {
    keyring,
    what,
    by,
  }: { readonly keyring: TrustedKeys; readonly what: string; readonly by: string },
): Judgement {
  const place = `is in ${origin}`;
  const known = note.signatures.flatMap(({ name, keyHash, signature }) => {
    const key = keyring.get(`${name}+${keyHash}`);
    return key === undefined ? [] : [{ key, signature }];
  });
  for (const { key, signature } of known) {
    // C2SP signed-note: one bad signature by a known key spoils the note.
    if (!verify(null, Buffer.from(note.text), key.publicKey, signature)) {
      return {
        exitCode: 1,
        state: "TAMPERED",
        verdict: `TAMPERED: the signature by ${key.name}+${key.keyHash} does not verify`,
      };
    }
  }
  const signer = known.find(({ key }) => origin.startsWith(`${key.name}/`));
  if (signer !== undefined) {
    const keyId = `${signer.key.name}+${signer.key.keyHash}`;
    return {
      exitCode: 0,
      state: "OK",
      verdict: `OK: ${what} ${place}; sealed by ${keyId}${by}`,
      signedBy: keyId,
    };
  }
  if (note.signatures.length === 0 && origin.startsWith(`${UNSIGNED_NAME}/`)) {
    return {
      exitCode: 2,
      state: "UNSIGNED",
      verdict: `UNSIGNED: ${what} ${place}, which anybody could have written`,
    };
  }
  const names = note.signatures.map(({ name, keyHash }) => `${name}+${keyHash}`).join(", ");
  const verdict = `UNKNOWN_KEY: ${what} ${place}, signed by ${names || "nobody"}: no key that was given`;
  return { exitCode: 2, state: "UNKNOWN_KEY", verdict };
}
