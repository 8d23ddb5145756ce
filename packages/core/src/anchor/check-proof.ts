// Checks the proof of one entry, and the anchors that show by when it existed, from the proof's
// text and the keys given alone.
import { verify } from "node:crypto";
import { leafHash, rootOfInclusion } from "../seal/merkle.ts";
import { parseCheckpoint, parseNote, parseVkey, type VerificationKey } from "../seal/note.ts";
import { parseTlogProof } from "../seal/tlog-proof.ts";
import { safeLine } from "../format/safe-text.ts";
import {
  checkSealedProof,
  type SealedProofCheck,
  type SealedProofCheckOptions,
} from "../verify/proof.ts";
import { type ParsedAnchorPart, splitAnchoredProof } from "./anchored-proof.ts";
import { readAuthorities, type TimeStampAuthority, timeOfToken } from "./time-stamp.ts";
import { parseWitnessKey, timeOfCosignature, type WitnessKey } from "./witness.ts";

/** The keys that a proof is checked with. */
export interface ProofCheckOptions extends SealedProofCheckOptions {
  /** `vkey`s of anchor logs. Parts of others do not count. @default any anchor log */
  readonly anchorKeys?: readonly string[];
  /** Keys of C2SP witnesses. @default none */
  readonly witnesses?: readonly string[];
  /** Certificates, in PEM, that sign the tokens of time-stamping authorities. @default none */
  readonly tsa?: string;
  /** Number of these parties that must vouch. @default 1 where any are given */
  readonly quorum?: number;
}

/** A party and the time by which it says that the entry existed. */
export interface ExistedBy {
  /** RFC 3339. */
  readonly time: string;
  readonly party: string;
}

/** The result of checking a proof. */
export interface ProofCheck extends Omit<SealedProofCheck, "state"> {
  /** `UNANCHORED`: too few of the parties given vouch for it, exit code 2. */
  readonly state: SealedProofCheck["state"] | "UNANCHORED";
  /** By when the entry existed, by each party given that says so, the earliest first. */
  readonly existed: readonly ExistedBy[];
  /** Origins of the anchor logs in the proof. Nothing may have verified them. */
  readonly anchors: readonly string[];
}

/**
 * Checks a proof from its text alone: that the entry was sealed, and by when it existed.
 * @param trustedKeys `vkey`s of the keys that may have signed, or `vkey@from..to` for one that is
 * trusted for a time.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when a key or a certificate is malformed.
 */
export function checkProof(
  text: string,
  trustedKeys: readonly string[],
  { anchorKeys = [], witnesses = [], tsa, quorum = 1, ...options }: ProofCheckOptions = {},
): ProofCheck {
  const parties: Parties = {
    anchors: anchorKeys.map(parseVkey),
    witnesses: witnesses.map(parseWitnessKey),
    authorities: tsa === undefined ? [] : readAuthorities(tsa),
  };
  const { proof, parts } = splitAnchoredProof(text);
  const sealed = checkSealedProof(proof, trustedKeys, options);
  if (sealed.exitCode === 1 || sealed.exitCode === 3)
    return { ...sealed, existed: [], anchors: [] };
  const state = parseNote(parseTlogProof(proof)?.note ?? "")?.text ?? "";
  const judged = parts.map((part) => judgePart(part, state, parties));
  const anchors = [...new Set(judged.flatMap(({ origin = [] }) => origin))].map(safeLine);
  const found = { ...sealed, anchors, existed: earliestOf(judged) };
  const flaw = judged.find(({ problem }) => problem !== undefined)?.problem;
  if (flaw !== undefined)
    return { ...found, exitCode: 1, state: "TAMPERED", verdict: safeLine(`TAMPERED: ${flaw}`) };
  const needed = parties.witnesses.length + parties.authorities.length === 0 ? 0 : quorum;
  const isByAnchor = judged.some(({ isCounted }) => isCounted);
  const isShort = found.existed.length < needed || (anchorKeys.length > 0 && !isByAnchor);
  const verdict = `${sealed.verdict}; ${spellAnchors(judged, found, parties)}`;
  if (!isShort) return { ...found, verdict: anchors.length > 0 ? verdict : sealed.verdict };
  if (sealed.exitCode !== 0) return { ...found, verdict };
  return {
    ...found,
    exitCode: 2,
    state: "UNANCHORED",
    verdict: verdict.replace(/^OK:/, "UNANCHORED:"),
  };
}

interface Parties {
  readonly anchors: readonly VerificationKey[];
  readonly witnesses: readonly WitnessKey[];
  readonly authorities: readonly TimeStampAuthority[];
}

interface JudgedPart {
  readonly problem?: string;
  readonly origin?: string;
  /** The anchorer's own clock. */
  readonly at?: string;
  /** Signed by an anchor key that was given. */
  readonly isCounted?: boolean;
  readonly existed?: readonly ExistedBy[];
}

/** A part that leads to its checkpoint, and the parties that vouch for that. */
function judgePart(
  part: ParsedAnchorPart | undefined,
  state: string,
  { anchors, witnesses, authorities }: Parties,
): JudgedPart {
  const note = part && parseNote(part.proof.note);
  const head = note && parseCheckpoint(note.text);
  if (part === undefined || note === undefined || head === undefined)
    return { problem: "a part behind the proof is not that of an anchor log" };
  const { leaf, line, index, path, proof, token } = part;
  const place = { leaf: leafHash(Buffer.from(state)), index, path };
  const states = leaf.type === "anchor.run" ? leaf.states : 0;
  const root = rootOfInclusion({ ...place, size: states })?.toString("base64");
  const { origin, size } = head;
  if (leaf.type !== "anchor.run" || root !== leaf.root)
    return { origin, problem: `the state is not in the leaf of ${origin}` };
  const inLog = { leaf: leafHash(Buffer.from(line)), index: proof.index, size, path: proof.path };
  if (rootOfInclusion(inLog)?.toString("base64") !== head.root)
    return { origin, problem: `the leaf is not in the anchor log ${origin}` };
  const key = anchors.find(({ name }) => name === origin);
  const own = note.signatures.find(
    ({ name, keyHash }) => name === key?.name && keyHash === key.keyHash,
  );
  if (anchors.length > 0 && (key === undefined || own === undefined)) return { origin };
  if (key && own && !verify(null, Buffer.from(note.text), key.publicKey, own.signature))
    return { origin, problem: `the signature by ${origin} does not verify` };
  const existed: ExistedBy[] = [];
  for (const witness of witnesses) {
    const time = timeOfCosignature(proof.note, witness);
    if (time === null)
      return { origin, problem: `the cosignature by ${witness.name} does not verify` };
    if (time !== undefined) existed.push({ time: spell(time), party: witness.name });
  }
  if (token !== undefined && authorities.length > 0) {
    const stamp = timeOfToken(token, Buffer.from(proof.note), authorities);
    if (stamp === null) return { origin, problem: `a time-stamp of ${origin} does not verify` };
    if (stamp !== undefined) existed.push({ time: spell(stamp.time), party: stamp.authority.name });
  }
  return { origin, at: leaf.at, isCounted: key !== undefined, existed };
}

function spell(time: number): string {
  return new Date(time).toISOString();
}

/** Each party's earliest time. */
function earliestOf(parts: readonly JudgedPart[]): ExistedBy[] {
  const sorted = parts
    .flatMap(({ existed = [] }) => existed)
    .toSorted((a, b) => (a.time < b.time ? -1 : 1));
  return sorted.filter(
    ({ party }, index) => sorted.findIndex((other) => other.party === party) === index,
  );
}

function spellAnchors(
  parts: readonly JudgedPart[],
  { existed, anchors }: Pick<ProofCheck, "existed" | "anchors">,
  { witnesses, authorities }: Parties,
): string {
  const words = existed.map(({ time, party }) => `existed by ${time}, says ${party}`);
  if (words.length > 0) return safeLine(words.join("; "));
  const counted = parts.find(({ isCounted }) => isCounted);
  const isAsked = witnesses.length + authorities.length > 0;
  if (parts.length === 0) return "not anchored";
  if (isAsked) return "none of the parties given vouches for a time";
  return safeLine(
    counted === undefined
      ? `anchored in ${anchors.join(", ")}, of which no key was given`
      : `anchored at ${counted.at}, by the anchorer's own clock`,
  );
}
