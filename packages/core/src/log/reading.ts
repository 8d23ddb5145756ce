// Entries found in the log.
import type { AuditEntry } from "../format/entry.ts";
import { lineToEntry } from "../format/entry-line.ts";
import { AuditInputError } from "../errors.ts";
import { type EntryContent, requireContent } from "./content.ts";
import type { EncryptionManager } from "../keys/encryption.ts";
import { requireSubjectKeys } from "./options.ts";
import { type EntryQuery, hasConditions, meets, rangeOf } from "./query.ts";
import type { AuditStorage, TimeRange } from "../storage/storage.ts";

/** A log, and the keys that find a subject's entries. */
export interface ReadableLog {
  readonly storage: AuditStorage;
  readonly encryption: EncryptionManager | undefined;
}

/** One entry of a data subject, with its contents where they were kept. */
export interface SubjectEntry extends EntryContent {
  readonly entry: AuditEntry;
}

/** The entry with this id. */
export async function getEntry(log: ReadableLog, id: string): Promise<AuditEntry | undefined> {
  if (typeof id !== "string" || id === "")
    throw new AuditInputError("getEntry() takes an entry id");
  const line = await log.storage.get(id);
  return line === undefined ? undefined : lineToEntry(line);
}

/**
 * The entries that meet `query`. Throws `AUDIT_INPUT_INVALID` for a query that cannot be used,
 * immediately.
 */
export function selectEntries(
  log: ReadableLog,
  query: EntryQuery,
): AsyncGenerator<AuditEntry, void, undefined> {
  return select(log, query, rangeOf(query));
}

/** Number of entries that meet `query`. A call that two layers recorded counts once. */
export async function countEntries(log: ReadableLog, query: EntryQuery): Promise<number> {
  const range = rangeOf(query);
  if (!hasConditions(query)) return log.storage.count(range);
  let count = 0;
  for await (const entry of select(log, query, range))
    if (entry.run?.sameCallAs === undefined) count += 1;
  return count;
}

/** All entries of one data subject, opened. */
export async function* exportSubject(
  log: ReadableLog,
  name: string,
): AsyncGenerator<SubjectEntry, void, undefined> {
  requireSubjectKeys(log.encryption);
  for await (const entry of selectEntries(log, { subject: name }))
    yield { entry, ...requireContent(entry, log.encryption) };
}

async function* select(
  { storage, encryption }: ReadableLog,
  query: EntryQuery,
  range: TimeRange,
): AsyncGenerator<AuditEntry, void, undefined> {
  const { subject, newestFirst = false } = query;
  const subjectIds =
    subject === undefined ? [] : await requireSubjectKeys(encryption).subjectIds(subject);
  const order = newestFirst ? "newest-first" : "oldest-first";
  for await (const page of storage.pages(range, order)) {
    for (const line of page) {
      const entry = lineToEntry(line);
      if (entry && meets(entry, query, subjectIds)) yield entry;
    }
  }
}
