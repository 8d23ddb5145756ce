// Lines for the Python original, and remarks for their readers.
import { type Filter } from "@ai-audit/core/reading";
import { AuditLogger, exportEntries, type TimeRange } from "@ai-audit/core";
import { encryptionKeys, loadEncryption } from "../settings/keys.ts";
import type { OpenLog } from "../log/open-log.ts";
import type { Sink } from "../output/output-file.ts";

export interface OriginalOptions {
  readonly log: OpenLog;
  readonly range: TimeRange;
  readonly filter: Filter;
}

/** The result of the export. */
export interface OriginalExport {
  readonly entries: number;
  /**
   * Reports the fields that the lines lack compared with the log; undefined where no entry was
   * written.
   */
  readonly remark: string | undefined;
}

/**
 * Writes the entries as lines of the original. Content that was encrypted is encrypted again, as
 * the original does it: that needs the key.
 */
export async function writeOriginal(
  { log, range: { from, to }, filter }: OriginalOptions,
  sink: Sink,
): Promise<OriginalExport> {
  const encryption =
    encryptionKeys(log.settings) === undefined ? undefined : await loadEncryption(log.settings);
  const logger = new AuditLogger(log.storage, { ...(encryption && { encryption }) });
  let entries = 0;
  let hadKeyedHash = false;
  let hasToken = false;
  const lines = exportEntries(logger, {
    format: "rotalabs-comply",
    where: (entry) => {
      if (!filter.meets(entry)) return false;
      hadKeyedHash ||= entry.kid !== undefined;
      return true;
    },
    ...(from !== undefined && { from: new Date(from) }),
    ...(to !== undefined && { to: new Date(to) }),
  });
  for await (const line of lines) {
    await sink.write(`${line}\n`);
    hasToken ||= FERNET_CONTENT.test(line);
    entries += 1;
  }
  if (entries === 0) return { entries, remark: undefined };
  return { entries, remark: hadKeyedHash && hasToken ? `${PLAIN_HASHES}; ${LEFT_OUT}` : LEFT_OUT };
}

/**
 * A content that was opened and encrypted again: a Fernet token, in base64 as the original keeps
 * it.
 */
const FERNET_CONTENT = /"(?:in|out)put_content":"Z0FBQUFB/;

const PLAIN_HASHES =
  "hashes of encrypted content are plain SHA-256 in this format: anybody with the file can check a guess at " +
  "a short text";
const LEFT_OUT =
  "fields other than the original's 17 are left out: outcome, error, parameters, usage, run …";
