// What a writer may act on: what a segment proves, not what its lines say. Whoever can write to the directory can plant
// any line there; only the holder of the key can seal one. Acting means signing, so a lie believed is a lie signed.
import { verify } from "node:crypto";
import { AuditConfigError } from "../errors.ts";
import { CHECKPOINT_PREFIX } from "../format/control-line.ts";
import { leafHash, MerkleTree } from "../seal/merkle.ts";
import type { Note, VerificationKey } from "../seal/note.ts";
import { originOf } from "../format/origin.ts";
import { readFirstLine } from "../format/read-control-line.ts";
import type { SegmentReport } from "../verify/segment-report.ts";
import { CheckpointVerifier } from "../verify/checkpoint-check.ts";
import { type Keyring, keyringOf } from "../verify/keyring.ts";
import { examineSegment } from "../verify/examine-segment.ts";
import { safeLine } from "../format/safe-text.ts";
import { type RandomAccess, readAt } from "./random-access.ts";

/** Who sealed a segment, as its checkpoints prove: the `vkey` in it; null for one that is not signed. */
export interface Seal {
  readonly vkey: string | null;
}

const LF = 0x0a;
const CHECKPOINT_START = Buffer.from(`\n${CHECKPOINT_PREFIX}`);
/** Where a first commit this long has no end, the segment is taken for one that proves nothing. */
const MAX_FIRST_COMMIT_BYTES = 256 * 2 ** 20;

/**
 * Who sealed the first commit of a segment, and so its first two lines: the tree over it and the signature are checked
 * under the key that the segment names. Undefined when nothing is proven.
 */
export async function sealOfHead(handle: RandomAccess, file: string): Promise<Seal | undefined> {
  const lines = await firstCommit(handle);
  const first = readFirstLine(lines[0]?.toString() ?? "");
  if (first.kind !== "segment" || first.open.file !== file) return undefined;
  const { vkey } = first.open;
  const keyring = keyringFor(vkey);
  if (!keyring) return undefined;
  const checkpoints = new CheckpointVerifier(first.open, keyring);
  const tree = new MerkleTree();
  for (const line of lines.slice(0, -1)) tree.append(leafHash(line));
  const result = checkpoints.check(
    lines.at(-1)?.toString() ?? "",
    tree.size,
    tree.root().toString("base64"),
  );
  if (!result.ok) return undefined;
  const { key } = checkpoints;
  const isSigned =
    key &&
    result.signature &&
    verify(null, Buffer.from(result.text), key.publicKey, result.signature);
  return vkey === null || isSigned === true ? { vkey } : undefined;
}

/**
 * Whether a checkpoint is one that a key signed for that very segment. Without a key: whether it is about that segment
 * at all (whoever could forge it could as well recompute the whole segment).
 */
export function vouchesFor(
  key: VerificationKey | undefined,
  { origin, note }: { readonly origin: string; readonly note: Note },
  { stream, file }: { readonly stream: string; readonly file: string },
): boolean {
  if (!key) return origin.endsWith(originOf("", stream, file));
  if (origin !== originOf(key.name, stream, file)) return false;
  return note.signatures.some(
    ({ name, keyHash, signature }) =>
      name === key.name &&
      keyHash === key.keyHash &&
      verify(null, Buffer.from(note.text), key.publicKey, signature),
  );
}

/**
 * Checks the option of that name.
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` when it is no list, `AUDIT_KEY_INVALID` when one is no `vkey`
 */
export function checkTrustedKeys(trustedKeys: readonly string[]): void {
  if (!Array.isArray(trustedKeys))
    throw new AuditConfigError("trustedKeys must be a list of vkeys");
  keyringOf(trustedKeys);
}

/** The keys to check a segment under the one that it names; undefined when that is none. */
function keyringFor(vkey: string | null): Keyring | undefined {
  try {
    return keyringOf(vkey === null ? [] : [vkey]);
  } catch (error) {
    if (error instanceof AuditConfigError) return undefined;
    throw error;
  }
}

/** Reads a segment through, and checks it under the key that it names. `sizesWanted`: see `SegmentCheckOptions`. */
export function checkSegment(
  file: string,
  vkey: string | null,
  chunks: AsyncIterable<Buffer>,
  sizesWanted: ReadonlySet<number> = new Set(),
): Promise<SegmentReport> {
  return examineSegment(file, chunks, {
    keyring: keyringFor(vkey) ?? new Map(),
    signatures: "last",
    sizesWanted,
  });
}

/** Whether what is sealed in a segment is unaltered, and its signature is by the key that it names. */
export function isSound({ open, broken, problems }: SegmentReport): boolean {
  return (
    open !== undefined &&
    broken === undefined &&
    !problems.some(({ state }) => state === "TAMPERED")
  );
}

/** Why a segment of another key stays: a record of its removal that its own verifiers do not believe is worth nothing. */
export function sealedByAnother(vkey: string): string {
  const [name = "", keyHash] = vkey.split("+");
  return safeLine(
    `sealed by another key: ${keyHash === undefined ? name : `${name}+${keyHash}`}, which is none of trustedKeys`,
  );
}

/** The lines of a segment up to its first checkpoint, that one included; none while there is no whole one. */
async function firstCommit(handle: RandomAccess): Promise<Buffer[]> {
  for (let length = 16 * 1024; length <= MAX_FIRST_COMMIT_BYTES; length *= 4) {
    const bytes = await readAt(handle, 0, length);
    const start = bytes.indexOf(CHECKPOINT_START) + 1;
    const end = start === 0 ? -1 : bytes.indexOf(LF, start);
    if (end !== -1) return splitLines(bytes.subarray(0, end + 1));
    if (bytes.length < length) return [];
  }
  return [];
}

/** Lines without their line feeds; what is behind the last line feed is left out. */
export function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(LF, at);
    if (end === -1) break;
    lines.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return lines;
}
