// C2SP tlog-proof as pure functions: https://c2sp.org/tlog-proof. It has a leaf, its index, its
// audit path, the checkpoint.
import { decodeBase64 } from "./note.ts";
import { HASH_BYTES } from "./merkle.ts";

const HEADER = "c2sp.org/tlog-proof@v1";
/** No tree of up to 2^53 leaves has a longer audit path. */
const MAX_PATH = 63;

/** A proof taken apart. Nothing in it is verified yet. */
export interface TlogProof {
  /** Bytes beside the proof. Here they are the leaf itself, and the path authenticates them. */
  readonly extra: Buffer | undefined;
  /** Of the leaf, from 0. */
  readonly index: number;
  /** From the leaf's sibling up to the root's child. */
  readonly path: readonly Buffer[];
  /** The checkpoint, verbatim. */
  readonly note: string;
}

/** The proof's text. Store it as `*.tlog-proof`. */
export function formatTlogProof({ extra, index, path, note }: TlogProof): string {
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${extra.toString("base64")}`]),
    `index ${index}`,
    ...path.map((hash) => hash.toString("base64")),
  ];
  return `${lines.join("\n")}\n\n${note}`;
}

/** Takes a proof apart; undefined for anything else. */
export function parseTlogProof(text: string): TlogProof | undefined {
  const blank = text.indexOf("\n\n");
  const [header, ...lines] = text.slice(0, Math.max(blank, 0)).split("\n");
  const extra = lines[0]?.startsWith("extra ")
    ? decodeBase64(lines.shift()?.slice("extra ".length) ?? "")
    : undefined;
  const [, digits] = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? "") ?? [];
  const path = lines.map(decodeBase64).filter((hash) => hash?.byteLength === HASH_BYTES);
  const hashes = path.filter((hash) => hash !== undefined);
  if (
    header !== HEADER ||
    digits === undefined ||
    hashes.length !== lines.length ||
    hashes.length > MAX_PATH
  ) {
    return undefined;
  }
  return { extra, index: Number(digits), path: hashes, note: text.slice(blank + 2) };
}
