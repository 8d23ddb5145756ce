// Entries of another log as new lines of ours.
import { hash } from "node:crypto";
import {
  type AuditEntry,
  type AuditStorage,
  type EncryptionManager,
  hashContent,
  type OnProgress,
} from "@ai-audit/core";
import { entryToLine, type JsonValue, lineToEntry } from "@ai-audit/core/format";
import { openContent } from "@ai-audit/core/verify";

export interface ImportOptions {
  /** Opens content of the source, and encrypts it in the target. */
  readonly encryption: EncryptionManager | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface ImportResult {
  readonly imported: number;
  /** Entries that the target had already. */
  readonly skipped: number;
  /** Entries with content that did not have its hash. */
  readonly altered: number;
}

interface Draft {
  readonly id: string;
  readonly entry: AuditEntry;
}

/** Lines written in one go: they share a commit. */
const BATCH = 500;

/** Copies entries in the order of their time. @throws as `openContent()` for content that cannot be opened */
export async function importLines(
  source: AuditStorage,
  target: AuditStorage,
  { encryption, onProgress }: ImportOptions,
): Promise<ImportResult> {
  const result = { imported: 0, skipped: 0, altered: 0 };
  const write = async (drafts: readonly Draft[]): Promise<void> => {
    const pending: Promise<void>[] = [];
    const known = await knownIds(target, drafts);
    for (const draft of drafts) {
      if (known.has(draft.id)) {
        // of an earlier import, or twice in the source
        result.skipped += 1;
        continue;
      }
      known.add(draft.id);
      const { line, isAltered } = finishEntry(draft, target.stream, encryption);
      if (isAltered) result.altered += 1;
      result.imported += 1;
      pending.push(target.append(line, draft.id));
    }
    await Promise.all(pending);
  };
  let batch: Draft[] = [];
  for await (const page of source.pages({}, "oldest-first", onProgress)) {
    for (const entry of page.flatMap((line) => lineToEntry(line) ?? [])) {
      // A batch ends between two milliseconds: within one, only the ids say the order.
      const isNewTime = batch.at(-1)?.entry.timestamp.slice(0, 23) !== entry.timestamp.slice(0, 23);
      if (batch.length >= BATCH && isNewTime) {
        await write(batch.toSorted(byId));
        batch = [];
      }
      batch.push({ id: idOf(entry), entry });
    }
  }
  await write(batch.toSorted(byId));
  return result;
}

/** Which of the drafts the target has. One look at their time: a look for each of them takes a hundred times as long. */
async function knownIds(target: AuditStorage, drafts: readonly Draft[]): Promise<Set<string>> {
  const wanted = new Set(drafts.map(({ id }) => id));
  const known = new Set<string>();
  const times = drafts.map(({ entry }) => Date.parse(entry.timestamp));
  if (times.length === 0) return known;
  // A loop, for a batch may be larger than a call's arguments.
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

/**
 * A UUIDv7 of the entry's own time, microseconds too (RFC 9562, section 6.2, method 3), whose other bits come from its
 * old id: so an entry that is imported again has the same id, and is known.
 */
function idOf({ id, timestamp }: AuditEntry): string {
  const time = Date.parse(timestamp).toString(16).padStart(12, "0");
  const microseconds = Number(/\.\d{3}(\d{3})/.exec(timestamp)?.[1] ?? 0);
  const fraction = Math.floor((microseconds * 4096) / 1000);
  const digest = hash("sha256", id);
  const variant = ((Number.parseInt(digest[0] ?? "0", 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${fraction.toString(16).padStart(3, "0")}-${variant}${digest.slice(1, 4)}-${digest.slice(4, 16)}`;
}

function finishEntry(
  { id, entry }: Draft,
  stream: string,
  encryption: EncryptionManager | undefined,
): { readonly line: string; readonly isAltered: boolean } {
  const kid = encryption?.kidFor(stream);
  const alerts = [...entry.alerts];
  const field = (
    name: "input" | "output",
    stored: string | null,
    digest: string,
  ): { content: string | null; digest: string } => {
    const value = stored === null ? undefined : readOriginal(entry, name, stored, encryption);
    if (stored === null || typeof value !== "string") return { content: stored, digest };
    if (hashContent(value) !== digest)
      alerts.push(`ai-audit: imported ${name} did not have its hash ${digest}`);
    if (encryption === undefined || kid === undefined)
      return { content: value, digest: hashContent(value) };
    const content = encryption.encryptContent(
      { text: value, format: undefined },
      { kid, id, field: name },
    );
    return { content, digest: encryption.digest(value, kid) };
  };
  const input = field("input", entry.inputContent, entry.inputHash);
  const output = field("output", entry.outputContent, entry.outputHash);
  const line = entryToLine({
    ...entry,
    id,
    timestamp: new Date(entry.timestamp).toISOString(),
    inputContent: input.content,
    outputContent: output.content,
    inputHash: input.digest,
    outputHash: output.digest,
    alerts,
    metadata: { ...entry.metadata, imported_id: entry.id },
    ...(input.digest.startsWith("hmac-") && { kid }),
  });
  return { line, isAltered: alerts.length > entry.alerts.length };
}

/** How a Fernet token begins, bare and as the original stores it, and a JWE. */
const ENCRYPTED = /^(?:gAAAA|Z0FBQUFB|ey)/;

/** What the source has as content, also where it does not have its hash: `openContent()` refuses that. */
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
