// Proves entries of a log by where the log lies.
import {
  type EntryProof,
  proofOf,
  proveEntriesIn,
  type ProveOptions,
  requireId,
  type UnprovenEntry,
} from "../verify/prove.ts";
import type { LogSource } from "../verify/log-source.ts";
import { type LogAccess, logSourcesAt } from "./location.ts";

/**
 * The proof of one entry, a C2SP tlog-proof, from the log in a directory or in the bucket of
 * `s3://bucket/prefix`. Undefined when there is no such entry.
 * @param id The entry's id.
 * @param options `s3`: how to reach a bucket. @default the AWS SDK's own settings
 * @throws {AuditInputError} `AUDIT_INPUT_INVALID` when `id` cannot be one.
 * @throws {AuditError} `AUDIT_READ_FAILED` when the log cannot be read, or no checkpoint covers the
 * entry.
 */
export async function proveEntry(
  location: string,
  id: string,
  access: LogAccess = {},
): Promise<string | undefined> {
  requireId(id);
  for await (const found of proveEntries(location, [id], access)) return proofOf(found);
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
  { checkpoint = "first", ...access }: LogAccess & ProveOptions = {},
): AsyncGenerator<EntryProof, void, void> {
  const sources = await logSourcesAt(location, access);
  let batch: string[] = [];
  for await (const id of ids) {
    batch.push(id);
    if (batch.length < BATCH_IDS) continue;
    yield* proveBatch(sources, batch, { checkpoint });
    batch = [];
  }
  if (batch.length > 0) yield* proveBatch(sources, batch, { checkpoint });
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
