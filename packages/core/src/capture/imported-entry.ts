// An entry of another log as a line of this log: the same time and fields, hashed and encrypted
// again.
import { hash } from "node:crypto";
import { contentOf, hashContent } from "../format/content.ts";
import type { AuditEntry } from "../format/entry.ts";
import { entryToLine } from "../format/entry-line.ts";
import type { EncryptionManager } from "../keys/encryption.ts";
import { type FinishedEntry, hashUnder } from "./draft.ts";

/**
 * The stored contents in clear; undefined for one that is kept as it is (only its hash is there).
 */
export interface ImportedContents {
  readonly input?: string | undefined;
  readonly output?: string | undefined;
}

/** Options of `importEntry()`. */
export interface ImportEntryOptions {
  /** Stream of the storage that the line goes to. */
  readonly stream: string;
  /** Encrypts the contents and makes keyed hashes of them. @default contents in clear, SHA-256 */
  readonly encryption?: EncryptionManager | undefined;
}

/** An imported entry's id and its line. */
export interface ImportedEntry extends FinishedEntry {
  /** A content did not match the hash that its entry had: an alert on the line records it. */
  readonly isAltered: boolean;
}

/** The line of an imported entry. Its old id is `metadata.imported_id`. */
export function importEntry(
  entry: AuditEntry,
  contents: ImportedContents,
  { stream, encryption }: ImportEntryOptions,
): ImportedEntry {
  const id = importedId(entry);
  const kid = encryption?.kidFor(stream);
  const digest = encryption ? "hmac-sha256" : "sha256";
  const alerts = [...entry.alerts];
  const field = (
    name: "input" | "output",
    stored: string | null,
    recordedHash: string,
  ): { readonly content: string | null; readonly hash: string } => {
    const text = contents[name];
    if (text === undefined) return { content: stored, hash: recordedHash };
    if (hashContent(text) !== recordedHash)
      alerts.push(`ai-audit: imported ${name} did not match its hash ${recordedHash}`);
    const content = contentOf(text);
    return {
      content:
        encryption && kid !== undefined
          ? encryption.encryptContent(content, { kid, id, field: name })
          : content.text,
      hash: hashUnder(content, kid, undefined, { digest, encryption }),
    };
  };
  const input = field("input", entry.inputContent, entry.inputHash);
  const output = field("output", entry.outputContent, entry.outputHash);
  const line = entryToLine({
    ...entry,
    id,
    timestamp: new Date(entry.timestamp).toISOString(),
    inputContent: input.content,
    outputContent: output.content,
    inputHash: input.hash,
    outputHash: output.hash,
    alerts,
    metadata: { ...entry.metadata, imported_id: entry.id },
    ...(input.hash.startsWith("hmac-") && { kid }),
  });
  return { id, line, isAltered: alerts.length > entry.alerts.length };
}

/**
 * A UUIDv7 of the entry's own time, with microseconds (RFC 9562, section 6.2, method 3). Its other
 * bits come from the old id: an entry that is imported again has the same id and is recognised.
 */
export function importedId({ id, timestamp }: AuditEntry): string {
  const time = Date.parse(timestamp).toString(16).padStart(12, "0");
  const microseconds = Number(/\.\d{3}(\d{3})/.exec(timestamp)?.[1] ?? 0);
  const fraction = Math.floor((microseconds * 4096) / 1000)
    .toString(16)
    .padStart(3, "0");
  const digest = hash("sha256", id);
  const variant = ((Number.parseInt(digest[0] ?? "0", 16) & 0x3) | 0x8).toString(16);
  const random = `${variant}${digest.slice(1, 4)}-${digest.slice(4, 16)}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${fraction}-${random}`;
}
