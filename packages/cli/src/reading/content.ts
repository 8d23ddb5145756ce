// Contents for a command: opened on --decrypt, and a failure where the keys did not open all.
import type { EncryptionManager } from "@ai-audit/core";
import { safeLine } from "@ai-audit/core/format";
import { type ContentFailure, ContentOpener } from "@ai-audit/core/reading";
import { EXIT, type ExitCode, Failure } from "../failure.ts";
import { plural } from "../output/format.ts";

/** Opens contents. `encryption`: the keys of --decrypt. */
export function contentOpener(encryption: EncryptionManager | undefined): ContentOpener {
  return new ContentOpener(encryption, "--decrypt opens it, with the key");
}

/**
 * Fails a command whose keys did not open every content: its output is incomplete. Content of an
 * erased person is not a failure.
 *
 * @throws {Failure} naming the first entry that could not be opened
 */
export function requireOpened({ failures }: ContentOpener): void {
  const missing = failures.get("AUDIT_KEY_MISSING");
  if (missing !== undefined) throw failureOf(missing, EXIT.config, GIVE_KEY);
  const altered = failures.get("AUDIT_DECRYPT_FAILED");
  if (altered !== undefined) throw failureOf(altered, EXIT.data, "was it altered? ai-audit verify");
}

const GIVE_KEY =
  "set AUDIT_ENCRYPTION_KEY or AUDIT_ENCRYPTION_KEY_FILE to the application's keys, and AUDIT_SUBJECT_KEYS to its key store";

function failureOf(
  { entries, reason, firstId }: ContentFailure,
  exitCode: ExitCode,
  hint: string,
): Failure {
  const which =
    entries === 1
      ? `entry ${firstId}`
      : `${plural(entries, "entry", "entries")}, ${firstId} first,`;
  return new Failure(exitCode, safeLine(`${which} could not be opened: ${reason}`), hint);
}
