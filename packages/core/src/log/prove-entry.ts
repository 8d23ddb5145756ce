// Proves entries of a log by where the log lies.
import {
  type EntryProof,
  type ProvenEntry,
  proofOf,
  proveEntriesIn,
  type ProveOptions,
  requireId,
  type UnprovenEntry,
} from "../verify/prove.ts";
import { AnchorLog } from "../anchor/anchor-log.ts";
import { type AnchorPart, formatAnchoredProof } from "../anchor/anchored-proof.ts";
import { AnchoredStates } from "../anchor/anchored-states.ts";
import { parseCheckpoint, parseNote } from "../seal/note.ts";
import { parseTlogProof } from "../seal/tlog-proof.ts";
import type { LogSource } from "../verify/log-source.ts";
import { anchorStoreAt } from "./anchor-store.ts";
import { type LogAccess, logSourcesAt } from "./location.ts";

/** An anchor log that shows by when entries existed. */
export interface AnchorToProve {
  /** A directory, or `s3://bucket/prefix`. */
  readonly location: string;
  /** The anchor log's `vkey`. */
  readonly vkey: string;
}

/** The way to a log and its anchor log. */
export interface ProveAccess extends LogAccess {
  /** Proofs lead to the earliest anchored state of their segment. @default none */
  readonly anchor?: AnchorToProve;
}

/** The proof of an entry, with those of its anchors, or why there is none. */
export type AnchoredEntryProof =
  | (ProvenEntry & {
      /** Empty: not anchored, or no anchor log was given. */
      readonly anchors: readonly AnchorPart[];
    })
  | UnprovenEntry;

/**
 * The proof of one entry, a C2SP tlog-proof, from the log in a directory or in the bucket of
 * `s3://bucket/prefix`. Undefined when there is no such entry. With `anchor`, the proofs of its
 * anchors follow: `checkProof` reads both.
 * @param id The entry's id.
 * @param access `s3`: how to reach a bucket. @default the AWS SDK's own settings
 * @throws {AuditError} `AUDIT_ANCHOR_REFUSED` when the anchor log is altered.
 * @throws {AuditInputError} `AUDIT_INPUT_INVALID` when `id` cannot be one.
 * @throws {AuditError} `AUDIT_READ_FAILED` when the log cannot be read, or no checkpoint covers the
 * entry.
 */
export async function proveEntry(
  location: string,
  id: string,
  access: ProveAccess = {},
): Promise<string | undefined> {
  requireId(id);
  for await (const found of proveEntries(location, [id], access)) {
    const proof = proofOf(found);
    if (proof === undefined || found.proof === undefined) return proof;
    return formatAnchoredProof(proof, found.anchors);
  }
  return undefined;
}

/**
 * Ids searched for at once: about ten megabytes. A file is read once for each batch that it has a
 * part in.
 */
const BATCH_IDS = 100_000;

/**
 * The proofs of entries, from the log in a directory or in the bucket of `s3://bucket/prefix`, or
 * the reason why an entry has none. Each file is read once for up to 100,000 ids; memory is bounded
 * whatever the size of the log and the number of ids. Ids in the order of their time are found
 * fastest.
 *
 * The proofs are not verified here: `checkProof` does that. The entries of a bucket are those it
 * held at the beginning.
 * @param ids Ids of entries, each once. The answer for an invalid id is "no such entry".
 * @throws {AuditError} `AUDIT_READ_FAILED` when the log cannot be read.
 */
export async function* proveEntries(
  location: string,
  ids: Iterable<string> | AsyncIterable<string>,
  { checkpoint = "first", anchor, ...access }: ProveAccess & ProveOptions = {},
): AsyncGenerator<AnchoredEntryProof, void, void> {
  const states = anchor && (await anchoredStates(anchor, access));
  const sources = await logSourcesAt(location, access);
  const options = { checkpoint: states?.isBest.bind(states) ?? checkpoint };
  let batch: string[] = [];
  for await (const id of ids) {
    batch.push(id);
    if (batch.length < BATCH_IDS) continue;
    yield* withAnchors(proveBatch(sources, batch, options), states);
    batch = [];
  }
  if (batch.length > 0) yield* withAnchors(proveBatch(sources, batch, options), states);
}

async function anchoredStates(
  { location, vkey }: AnchorToProve,
  { s3 }: LogAccess,
): Promise<AnchoredStates> {
  const store = await anchorStoreAt(location, { ...(s3 && { s3 }) });
  return new AnchoredStates(await AnchorLog.read(store, vkey));
}

async function* withAnchors(
  proofs: AsyncIterable<EntryProof>,
  states: AnchoredStates | undefined,
): AsyncGenerator<AnchoredEntryProof, void, void> {
  for await (const found of proofs) {
    if (found.proof === undefined) {
      yield found;
      continue;
    }
    const note = parseTlogProof(found.proof)?.note ?? "";
    const state = parseCheckpoint(parseNote(note)?.text ?? "");
    const anchors = state && (await states?.partsOf(state));
    yield { ...found, anchors: anchors ?? [] };
  }
}

async function* proveBatch(
  sources: readonly LogSource[],
  ids: readonly string[],
  options: ProveOptions,
): AsyncGenerator<EntryProof, void, void> {
  let unproven = new Map(
    Array.from(ids, (id): [string, UnprovenEntry] => [
      id,
      { id, proof: undefined, reason: "no such entry" },
    ]),
  );
  for (const source of sources) {
    const left = new Map<string, UnprovenEntry>();
    if (unproven.size === 0) break;
    for await (const found of proveEntriesIn(source, unproven.keys(), options)) {
      if (found.proof !== undefined) yield found;
      else
        left.set(
          found.id,
          found.reason === "no such entry" ? (unproven.get(found.id) ?? found) : found,
        );
    }
    unproven = left;
  }
  yield* unproven.values();
}
