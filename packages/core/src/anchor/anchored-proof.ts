// The text of a proof with anchors: the entry's C2SP tlog-proof, then one part for each party that
// confirmed the anchor log. docs/format.md has the format.
import { parseTlogProof, type TlogProof } from "../seal/tlog-proof.ts";
import { HASH_BYTES } from "../seal/merkle.ts";
import { decodeBase64 } from "../seal/note.ts";
import { type AnchorLeaf, parseLeaf } from "./record.ts";

/** A way from a segment's state to one checkpoint of an anchor log. */
export interface AnchorPart {
  /** C2SP tlog-proof of the leaf. `extra`: the leaf, and the state's place in it. */
  readonly proof: string;
  /** The answer of a time-stamping authority over the proof's checkpoint. */
  readonly token?: TokenFile;
}

/** A time-stamp token, in two files that OpenSSL verifies. */
export interface TokenFile {
  /** Of both files, without `.note` and `.tsr`. */
  readonly name: string;
  /** The checkpoint that it is over. */
  readonly note: string;
  /** DER. */
  readonly bytes: Buffer;
}

/** A part taken apart. Nothing in it is verified yet. */
export interface ParsedAnchorPart {
  readonly proof: TlogProof;
  readonly leaf: AnchorLeaf;
  /** The leaf's bytes. */
  readonly line: string;
  /** Of the state among those of the leaf, from 0. */
  readonly index: number;
  /** From the state's sibling up to the child of the leaf's `root`. */
  readonly path: readonly Buffer[];
  readonly token: Buffer | undefined;
}

const HEADER = /^(?=c2sp\.org\/tlog-proof@v1$)/m;
const TOKEN =
  /^-----BEGIN TIMESTAMP RESPONSE-----\n([A-Za-z0-9+/=\n]+)-----END TIMESTAMP RESPONSE-----\n/m;
const ARMOR_CHARS = 64;

/** One text: the entry's proof, then the parts. */
export function formatAnchoredProof(proof: string, parts: readonly AnchorPart[]): string {
  return proof + parts.map((part) => part.proof + armor(part.token)).join("");
}

function armor(token: TokenFile | undefined): string {
  if (token === undefined) return "";
  const lines = token.bytes.toString("base64").match(new RegExp(`.{1,${ARMOR_CHARS}}`, "g")) ?? [];
  return `-----BEGIN TIMESTAMP RESPONSE-----\n${lines.join("\n")}\n-----END TIMESTAMP RESPONSE-----\n`;
}

/** The entry's proof and the parts behind it; undefined stands for a part that cannot be read. */
export function splitAnchoredProof(text: string): {
  readonly proof: string;
  readonly parts: readonly (ParsedAnchorPart | undefined)[];
} {
  const [proof = "", ...parts] = text.split(HEADER);
  return { proof, parts: parts.map(parsePart) };
}

function parsePart(text: string): ParsedAnchorPart | undefined {
  const [whole = "", encoded] = TOKEN.exec(text) ?? [];
  const token = encoded === undefined ? undefined : decodeBase64(encoded.replaceAll("\n", ""));
  if (encoded !== undefined && (token === undefined || !text.endsWith(whole))) return undefined;
  const proof = parseTlogProof(text.slice(0, text.length - whole.length));
  const [line = "", digits = "", ...hashes] = proof?.extra?.toString().split("\n") ?? [];
  const leaf = parseLeaf(line);
  const path = hashes.map(decodeBase64).filter((hash) => hash?.byteLength === HASH_BYTES);
  const known = path.filter((hash) => hash !== undefined);
  if (proof === undefined || leaf === undefined || !/^(0|[1-9]\d{0,15})$/.test(digits))
    return undefined;
  if (known.length !== hashes.length) return undefined;
  return { proof, leaf, line, index: Number(digits), path: known, token };
}

/** The extra data of a part: the leaf, the state's index in it, and its path, a line each. */
export function formatPlace(line: string, index: number, path: readonly Buffer[]): Buffer {
  return Buffer.from([line, index, ...path.map((hash) => hash.toString("base64"))].join("\n"));
}
