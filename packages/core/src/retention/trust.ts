// Trust of writers and removers: they act on sealed lines alone. Anybody with write access to the
// directory can plant a line; only the holder of the key can seal one. Acting means signing: a
// planted line that is believed becomes a signed one.
import { verify } from "node:crypto";
import { AuditConfigError } from "../errors.ts";
import {
  CHECKPOINT_PREFIX,
  type ConsistencyProof,
  type SegmentRef,
} from "../format/control-line.ts";
import { ConsistencyProofs } from "../seal/consistency.ts";
import { leafHash, MerkleTree } from "../seal/merkle.ts";
import { type Note, parseVkey, type VerificationKey } from "../seal/note.ts";
import { splitLines } from "../format/lines.ts";
import { originOf } from "../format/origin.ts";
import { readFirstLine } from "../format/read-control-line.ts";
import type { SegmentReport } from "../verify/segment-report.ts";
import { CheckpointVerifier } from "../verify/checkpoint-check.ts";
import { type TrustedKeys, readTrustedKeys } from "../verify/trusted-keys.ts";
import { examineSegment } from "../verify/examine-segment.ts";
import { safeLine } from "../format/safe-text.ts";
import { type RandomAccess, readAt } from "./random-access.ts";
import { LF } from "../format/lines.ts";

/** The proven sealer of a segment: its `vkey`; null for a segment that is not signed. */
export interface Seal {
  readonly vkey: string | null;
}

/**
 * The keys of a writer that acts on lines of the log: its own, and earlier ones of the same log.
 */
export class Actor {
  /** Undefined for a writer that does not sign. */
  readonly vkey: string | undefined;
  readonly key: VerificationKey | undefined;
  readonly #trusted: ReadonlySet<string>;

  /** @throws {AuditConfigError} `AUDIT_KEY_INVALID` when `vkey` is malformed */
  constructor(vkey?: string, trustedKeys: readonly string[] = []) {
    this.vkey = vkey;
    this.key = vkey === undefined ? undefined : parseVkey(vkey);
    this.#trusted = new Set(trustedKeys);
  }

  /** Whether this is the writer's own key. */
  isOwn(vkey: string | null): boolean {
    return vkey !== null && vkey === this.vkey;
  }

  /**
   * Whether lines under this seal are believed. A writer without a key believes every consistent
   * seal.
   */
  trusts(vkey: string | null): boolean {
    return (
      this.vkey === undefined || this.isOwn(vkey) || (vkey !== null && this.#trusted.has(vkey))
    );
  }

  /**
   * Whether the writer may remove segments that name this key: verifiers of other keys would not
   * believe its record.
   */
  mayRemove(vkey: string | null): boolean {
    return vkey === null || this.isOwn(vkey) || this.#trusted.has(vkey);
  }
}

const CHECKPOINT_START = Buffer.from(`\n${CHECKPOINT_PREFIX}`);
/** A segment whose first commit has no end within these bytes proves nothing. */
const MAX_FIRST_COMMIT_BYTES = 256 * 2 ** 20;

/**
 * The sealer of a segment's first commit, and so of its first two lines: tree and signature are
 * checked under the key that the segment names. Undefined without proof.
 */
export async function sealOfHead(handle: RandomAccess, file: string): Promise<Seal | undefined> {
  const lines = await firstCommit(handle);
  const first = readFirstLine(lines[0]?.toString() ?? "");
  if (first.kind !== "segment" || first.open.file !== file) return undefined;
  const { vkey } = first.open;
  const keyring = trustedKeysFor(vkey);
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
 * Whether a key signed a checkpoint for this very segment. Without a key: whether the checkpoint is
 * about this segment (a forger of it could recompute the whole segment as well).
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
 * Checks the option `trustedKeys`.
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` when it is not a list, `AUDIT_KEY_INVALID` for
 * an invalid `vkey`
 */
export function checkTrustedKeys(trustedKeys: readonly string[]): void {
  if (!Array.isArray(trustedKeys))
    throw new AuditConfigError("trustedKeys must be a list of vkeys");
  readTrustedKeys(trustedKeys);
}

/** The key that a segment names, to check it under; undefined when it is invalid. */
function trustedKeysFor(vkey: string | null): TrustedKeys | undefined {
  try {
    return readTrustedKeys(vkey === null ? [] : [vkey]);
  } catch (error) {
    if (error instanceof AuditConfigError) return undefined;
    throw error;
  }
}

/**
 * Reads a whole segment and checks it under the key that it names. `sizesWanted` and `proofs`: see
 * `SegmentCheckOptions`.
 */
export function checkSegment(
  file: string,
  vkey: string | null,
  chunks: AsyncIterable<Buffer>,
  sizesWanted: ReadonlySet<number> = new Set(),
  proofs?: ConsistencyProofs,
): Promise<SegmentReport> {
  return examineSegment(file, chunks, {
    keyring: trustedKeysFor(vkey) ?? new Map(),
    signatures: "last",
    sizesWanted,
    ...(proofs && { proofs }),
  });
}

/** A segment as a remover reads it: the proofs are for the record of its removal. */
export interface RecordedSegment {
  readonly report: SegmentReport;
  /** From smaller states on record to the one that is sealed. */
  readonly since: readonly ConsistencyProof[];
}

/** Reads a whole segment as `checkSegment` does, and proves that it began as was recorded. */
export async function checkRecorded(
  file: string,
  vkey: string | null,
  chunks: AsyncIterable<Buffer>,
  recorded: readonly SegmentRef[],
): Promise<RecordedSegment> {
  const sizes = new Set(recorded.map(({ size }) => size));
  const proven = [...sizes].toSorted((a, b) => b - a).slice(0, MAX_PROOFS);
  const proofs = new ConsistencyProofs(proven);
  const report = await checkSegment(file, vkey, chunks, sizes, proofs);
  const { sealed, roots } = report;
  // Where lines follow the last checkpoint, the proofs would lead to a tree that nothing seals.
  if (proofs.size !== sealed.size) return { report, since: [] };
  const since = proven.flatMap((leaves) => {
    const root = roots.get(leaves);
    if (leaves < 1 || leaves >= sealed.size || root === undefined) return [];
    return { leaves, root, proof: proofs.proof(leaves).map((node) => node.toString("base64")) };
  });
  return { report, since };
}

/** Each takes about a kilobyte of the line. */
const MAX_PROOFS = 64;

/**
 * Whether the sealed part of a segment is unaltered and signed by the key that the segment names.
 */
export function isSound({ open, broken, problems }: SegmentReport): boolean {
  return (
    open !== undefined &&
    broken === undefined &&
    !problems.some(({ state }) => state === "TAMPERED")
  );
}

/**
 * The reason for a segment of another key: its own verifiers would not believe the record of its
 * removal.
 */
export function sealedByAnother(vkey: string): string {
  const [name = "", keyHash] = vkey.split("+");
  return safeLine(
    `sealed by another key: ${keyHash === undefined ? name : `${name}+${keyHash}`}, which is not in trustedKeys`,
  );
}

/** The lines of a segment up to and with its first checkpoint; none while that is not complete. */
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
