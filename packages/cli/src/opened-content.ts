// What an entry's input and output were, as far as the log and the keys at hand tell.
import { type AuditEntry, AuditError, type EncryptionManager, type JsonValue, openContent } from "@ai-audit/core";

/** One of the two contents. */
export type OpenedField =
  | { readonly state: "open"; readonly value: JsonValue }
  /** Only the hash was kept. */
  | { readonly state: "hash-only" }
  /** Encrypted, and either not asked for or not to be opened: `reason` says why. */
  | { readonly state: "sealed"; readonly reason: string };

export interface OpenedContent {
  readonly input: OpenedField;
  readonly output: OpenedField;
  /** Those that are open. */
  readonly values: { readonly input?: JsonValue; readonly output?: JsonValue };
}

/** Opens both contents, each on its own: where one cannot be opened the other still is. */
export function openedContent(entry: AuditEntry, encryption: EncryptionManager | undefined): OpenedContent {
  const input = openField(entry, "input", encryption);
  const output = openField(entry, "output", encryption);
  return {
    input,
    output,
    values: {
      ...(input.state === "open" && { input: input.value }),
      ...(output.state === "open" && { output: output.value }),
    },
  };
}

function openField(
  entry: AuditEntry,
  field: "input" | "output",
  encryption: EncryptionManager | undefined,
): OpenedField {
  const alone = { ...entry, ...(field === "input" ? { outputContent: null } : { inputContent: null }) };
  try {
    const value = openContent(alone, encryption)[field];
    return value === undefined ? { state: "hash-only" } : { state: "open", value };
  } catch (error) {
    if (!AuditError.isInstance(error)) throw error;
    const reason =
      encryption === undefined && error.code === "AUDIT_KEY_MISSING"
        ? "--decrypt opens it, with the key"
        : error.message;
    return { state: "sealed", reason };
  }
}
