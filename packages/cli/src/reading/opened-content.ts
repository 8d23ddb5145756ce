// The contents of an entry, as far as the log holds them and the keys at hand open them.
import type { AuditEntry, AuditErrorCode, EncryptionManager } from "@ai-audit/core";
import { diagnosticsValue, type JsonValue, readDiagnostics, safeLine } from "@ai-audit/core/format";
import { openContent, type OpenedContent as Opened } from "@ai-audit/core/verify";
import { EXIT, type ExitCode, Failure } from "../failure.ts";
import { plural } from "../output/format.ts";

/** One content of an entry. */
export type OpenedField =
  | { readonly state: "open"; readonly value: JsonValue }
  /** Only the hash was kept. */
  | { readonly state: "hash-only" }
  /** Encrypted, and either not requested or impossible to open: `reason` says why. */
  | { readonly state: "sealed"; readonly reason: string; readonly code: AuditErrorCode };

export interface OpenedContent {
  readonly input: OpenedField;
  readonly output: OpenedField;
  /** The provider's own words, such as an error's message. Undefined if there are none. */
  readonly diagnostics: OpenedField | undefined;
  /** Those that are open. */
  readonly values: {
    readonly input?: JsonValue;
    readonly output?: JsonValue;
    readonly diagnostics?: JsonValue;
  };
}

/** Opens contents with the keys at hand, and remembers contents that they do not open. */
export class ContentOpener {
  readonly #encryption: EncryptionManager | undefined;
  readonly #failures = new Map<
    AuditErrorCode,
    { entries: number; readonly reason: string; readonly firstId: string }
  >();

  /** `encryption`: the keys; without them only plain content is opened. */
  constructor(encryption: EncryptionManager | undefined) {
    this.#encryption = encryption;
  }

  /** Whether there are keys. */
  get hasKeys(): boolean {
    return this.#encryption !== undefined;
  }

  /** Opens each content on its own: a failure of one does not hide another. */
  open(entry: AuditEntry): OpenedContent {
    const found = openContent(entry, this.#encryption);
    const input = this.#field(found, "input");
    const output = this.#field(found, "output");
    const diagnostics =
      entry.diagnosticsHash === undefined ? undefined : this.#field(found, "diagnostics");
    const failed = [input, output, diagnostics].find((field) => field?.state === "sealed");
    if (failed?.state === "sealed") this.#note(entry.id, failed);
    return {
      input,
      output,
      diagnostics,
      values: {
        ...(input.state === "open" && { input: input.value }),
        ...(output.state === "open" && { output: output.value }),
        ...(diagnostics?.state === "open" && { diagnostics: diagnostics.value }),
      },
    };
  }

  #field(opened: Opened, field: "input" | "output" | "diagnostics"): OpenedField {
    const failure = opened.failures[field];
    if (failure === undefined) {
      const { diagnostics } = opened;
      const value =
        field === "diagnostics" ? diagnostics && diagnosticsValue(diagnostics) : opened[field];
      return value === undefined ? { state: "hash-only" } : { state: "open", value };
    }
    const isNotAsked = !this.hasKeys && failure.code === "AUDIT_KEY_MISSING";
    const reason = isNotAsked ? "--decrypt opens it, with the key" : failure.message;
    return { state: "sealed", code: failure.code, reason };
  }

  #note(firstId: string, { code, reason }: Extract<OpenedField, { state: "sealed" }>): void {
    const known = this.#failures.get(code);
    if (known === undefined) this.#failures.set(code, { entries: 1, reason, firstId });
    else known.entries += 1;
  }

  /**
   * Fails a command whose keys did not open every content: its output is incomplete. Content of an
   * erased person is not a failure.
   *
   * @throws {Failure} naming the first entry that could not be opened
   */
  check(): void {
    if (!this.hasKeys) return;
    const missing = this.#failures.get("AUDIT_KEY_MISSING");
    if (missing !== undefined) throw failureOf(missing, EXIT.config, GIVE_KEY);
    const altered = this.#failures.get("AUDIT_DECRYPT_FAILED");
    if (altered !== undefined)
      throw failureOf(altered, EXIT.data, "was it altered? ai-audit verify");
  }
}

const GIVE_KEY =
  "set AUDIT_ENCRYPTION_KEY or AUDIT_ENCRYPTION_KEY_FILE to the application's keys, and AUDIT_SUBJECT_KEYS to its key store";

function failureOf(
  {
    entries,
    reason,
    firstId,
  }: { readonly entries: number; readonly reason: string; readonly firstId: string },
  exitCode: ExitCode,
  hint: string,
): Failure {
  const which =
    entries === 1
      ? `entry ${firstId}`
      : `${plural(entries, "entry", "entries")}, ${firstId} first,`;
  return new Failure(exitCode, safeLine(`${which} could not be opened: ${reason}`), hint);
}

/**
 * The provider's words in a failed or blocked entry, of this version's entries and of older ones.
 */
export function errorMessage(entry: AuditEntry, { values }: OpenedContent): string | undefined {
  const { errorMessage: message, blockMessage } = readDiagnostics(values.diagnostics ?? {});
  return message ?? blockMessage ?? entry.error?.message;
}
