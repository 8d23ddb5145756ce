// Entries of another log as new lines of this log.
import type { AuditEntry, AuditStorage, EncryptionManager, OnProgress } from "@ai-audit/core";
import { importedId, importEntry } from "@ai-audit/core/capture";
import { type JsonValue, lineToEntry } from "@ai-audit/core/format";
import { openContent } from "@ai-audit/core/verify";

export interface ImportOptions {
  /** Opens content of the source, and encrypts it in the target. */
  readonly encryption: EncryptionManager | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface ImportResult {
  readonly imported: number;
  /** Entries that the target already had. */
  readonly skipped: number;
  /** Entries with content that does not match its hash. */
  readonly altered: number;
}

interface Draft {
  readonly id: string;
  readonly entry: AuditEntry;
}

/** Lines that are written together and share a commit. */
const BATCH = 500;

/**
 * Copies entries in the order of their time.
 *
 * @throws as `openContent()` for content that cannot be opened
 */
export async function importLines(
  source: AuditStorage,
  target: AuditStorage,
  { encryption, onProgress }: ImportOptions,
): Promise<ImportResult> {
  const { stream } = target;
  const result = { imported: 0, skipped: 0, altered: 0 };
  const write = async (drafts: readonly Draft[]): Promise<void> => {
    const pending: Promise<void>[] = [];
    const known = await knownIds(target, drafts);
    for (const draft of drafts) {
      if (known.has(draft.id)) {
        // from an earlier import, or twice in the source
        result.skipped += 1;
        continue;
      }
      known.add(draft.id);
      const contents = {
        input: originalText(draft.entry, "input", encryption),
        output: originalText(draft.entry, "output", encryption),
      };
      const { line, isAltered } = importEntry(draft.entry, contents, { stream, encryption });
      if (isAltered) result.altered += 1;
      result.imported += 1;
      pending.push(target.append(line, draft.id));
    }
    await Promise.all(pending);
  };
  let batch: Draft[] = [];
  for await (const page of source.pages({}, "oldest-first", onProgress)) {
    for (const entry of page.flatMap((line) => lineToEntry(line) ?? [])) {
      // A batch ends between two milliseconds: within one, only the ids give the order.
      const isNewTime = batch.at(-1)?.entry.timestamp.slice(0, 23) !== entry.timestamp.slice(0, 23);
      if (batch.length >= BATCH && isNewTime) {
        await write(batch.toSorted(byId));
        batch = [];
      }
      batch.push({ id: importedId(entry), entry });
    }
  }
  await write(batch.toSorted(byId));
  return result;
}

/**
 * The ids that the target already has. It is read once, over the time of all drafts: asking for
 * each id alone takes a hundred times as long.
 */
async function knownIds(target: AuditStorage, drafts: readonly Draft[]): Promise<Set<string>> {
  const wanted = new Set(drafts.map(({ id }) => id));
  const known = new Set<string>();
  const times = drafts.map(({ entry }) => Date.parse(entry.timestamp));
  if (times.length === 0) return known;
  // A loop: a batch may be larger than the arguments of one call.
  const range = times.reduce(
    ({ from, to }, time) => ({ from: Math.min(from, time), to: Math.max(to, time) }),
    {
      from: Infinity,
      to: -Infinity,
    },
  );
  for await (const page of target.pages(range, "oldest-first")) {
    for (const line of page) {
      const id = lineToEntry(line)?.id;
      if (id !== undefined && wanted.has(id)) known.add(id);
    }
  }
  return known;
}

function byId(a: Draft, b: Draft): number {
  return a.id < b.id ? -1 : 1;
}

/** The content of the source in clear; undefined if there is none, or only its hash. */
function originalText(
  entry: AuditEntry,
  field: "input" | "output",
  encryption: EncryptionManager | undefined,
): string | undefined {
  const stored = field === "input" ? entry.inputContent : entry.outputContent;
  const value = stored === null ? undefined : readOriginal(entry, field, stored, encryption);
  return typeof value === "string" ? value : undefined;
}

/** Beginnings of a Fernet token, bare and as the original stores it, and of a JWE. */
const ENCRYPTED = /^(?:gAAAA|Z0FBQUFB|ey)/;

/** As `openContent()`, and also content that does not match its hash, which it refuses. */
function readOriginal(
  entry: AuditEntry,
  field: "input" | "output",
  stored: string,
  encryption: EncryptionManager | undefined,
): JsonValue | undefined {
  const { [field]: value, failures } = openContent(entry, encryption);
  const failure = failures[field];
  if (failure === undefined) return value;
  if (failure.code !== "AUDIT_DECRYPT_FAILED") throw failure;
  if (encryption === undefined || !ENCRYPTED.test(stored)) return stored;
  return encryption.open(stored, { id: entry.id, field });
}
