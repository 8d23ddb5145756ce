// Entries for other systems.
import { contentOf, hashContent } from "../format/content.ts";
import type { EncryptionManager } from "../keys/encryption.ts";
import type { AuditEntry } from "../format/entry.ts";
import { entryToLine } from "../format/entry-line.ts";
import { AuditError, AuditInputError } from "../errors.ts";
import type { AuditLogger } from "./logger.ts";
import type { EntryQuery } from "./query.ts";

/**
 * `jsonl`: entry lines of this format. `rotalabs-comply`: lines that the Python original lists,
 * reads and decrypts.
 */
export type ExportFormat = "jsonl" | "rotalabs-comply";

/** Options of an export. */
export interface ExportOptions extends EntryQuery {
  readonly format: ExportFormat;
}

/**
 * The entries that meet the query as lines, each without its line feed.
 *
 * `rotalabs-comply` lines have its 17 fields, naive UTC timestamps, and Fernet content under the
 * logger's current key where the content was encrypted. Hashes are SHA-256 where the content is
 * kept, as the original writes them. Its `latency_ms` is never null: unknown is 0.0 there. Content
 * of erased persons is left out.
 *
 * `jsonl` lines are written anew from the entries: they lack members that a later format version
 * added, and they prove nothing. For evidence, use the segments themselves.
 *
 * @throws `AUDIT_INPUT_INVALID` for an unknown format; for encrypted content as
 * `AuditLogger.content()`
 */
export async function* exportEntries(
  logger: AuditLogger,
  { format, ...query }: ExportOptions,
): AsyncGenerator<string, void, undefined> {
  if (format !== "jsonl" && format !== "rotalabs-comply") {
    throw new AuditInputError(
      `format must be 'jsonl' or 'rotalabs-comply', not ${JSON.stringify(format)}`,
    );
  }
  for await (const entry of logger.entries(query)) {
    yield format === "jsonl" ? entryToLine(entry) : originalLine(entry, logger);
  }
}

function originalLine(entry: AuditEntry, logger: AuditLogger): string {
  const contents = contentsUnlessErased(entry, logger);
  const kept = (field: "input" | "output"): { hash: string; content: string | null } => {
    const value = contents[field];
    if (value === undefined)
      return { hash: field === "input" ? entry.inputHash : entry.outputHash, content: null };
    const { text } = contentOf(value);
    const stored = field === "input" ? entry.inputContent : entry.outputContent;
    return {
      hash: hashContent(text),
      content: stored === text ? text : encrypted(text, logger.encryption),
    };
  };
  const [input, output] = [kept("input"), kept("output")];
  return entryToLine({
    id: entry.id,
    // As Python's utcnow().isoformat(): no offset, microseconds.
    timestamp: `${new Date(entry.timestamp).toISOString().slice(0, -1)}000`,
    inputHash: input.hash,
    outputHash: output.hash,
    inputContent: input.content,
    outputContent: output.content,
    provider: entry.provider,
    model: entry.model,
    conversationId: entry.conversationId,
    safetyPassed: entry.safetyPassed,
    detectorsTriggered: entry.detectorsTriggered,
    blockReason: entry.blockReason,
    alerts: entry.alerts,
    latencyMs: entry.latencyMs ?? 0,
    inputTokens: entry.inputTokens,
    outputTokens: entry.outputTokens,
    metadata: entry.metadata,
  });
}

/** For an erased person, only the hashes. */
function contentsUnlessErased(
  entry: AuditEntry,
  logger: AuditLogger,
): ReturnType<AuditLogger["content"]> {
  try {
    return logger.content(entry);
  } catch (error) {
    if (AuditError.isInstance(error) && error.code === "AUDIT_SUBJECT_ERASED") return {};
    throw error;
  }
}

/** The manager opened the content, so it is defined. */
function encrypted(text: string, encryption: EncryptionManager | undefined): string {
  return encryption ? encryption.encryptFernet(text) : text;
}
