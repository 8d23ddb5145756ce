// The contents of an entry, as far as the log holds them and the keys at hand open them.
import type { AuditErrorCode } from "../errors.ts";
import type { JsonValue } from "../format/canonical.ts";
import { diagnosticsValue, readDiagnostics } from "../format/diagnostics.ts";
import type { AuditEntry } from "../format/entry.ts";
import type { EncryptionManager } from "../keys/encryption.ts";
import { openContent, type OpenedContent as Opened } from "../log/content.ts";

/** One content of an entry. */
export type OpenedField =
  | { readonly state: "open"; readonly value: JsonValue }
  /** Only the hash was kept. */
  | { readonly state: "hash-only" }
  /** Encrypted, and either not requested or impossible to open: `reason` says why. */
  | { readonly state: "sealed"; readonly reason: string; readonly code: AuditErrorCode };

/** The contents of an entry, each as far as it could be opened. */
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

/** Contents that could not be opened for one cause. */
export interface ContentFailure {
  /** Number of entries. */
  readonly entries: number;
  readonly reason: string;
  /** The first of them. */
  readonly firstId: string;
}

/** Opens contents with the keys at hand, and remembers contents that they do not open. */
export class ContentOpener {
  readonly #encryption: EncryptionManager | undefined;
  readonly #withoutKeys: string;
  readonly #failures = new Map<AuditErrorCode, ContentFailure>();

  /**
   * @param encryption the keys; without them only plain content is opened
   * @param withoutKeys the reason given for encrypted content where there are no keys
   */
  constructor(encryption: EncryptionManager | undefined, withoutKeys = "no key was given") {
    this.#encryption = encryption;
    this.#withoutKeys = withoutKeys;
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
    const reason = isNotAsked ? this.#withoutKeys : failure.message;
    return { state: "sealed", code: failure.code, reason };
  }

  #note(firstId: string, { code, reason }: Extract<OpenedField, { state: "sealed" }>): void {
    const known = this.#failures.get(code);
    const { entries, ...first } = known ?? { entries: 0, reason, firstId };
    this.#failures.set(code, { entries: entries + 1, ...first });
  }

  /** Contents that the keys did not open, by the cause. Empty without keys. */
  get failures(): ReadonlyMap<AuditErrorCode, ContentFailure> {
    return this.hasKeys ? this.#failures : new Map();
  }
}

/**
 * The provider's words in a failed or blocked entry, of this version's entries and of older ones.
 */
export function errorMessage(entry: AuditEntry, { values }: OpenedContent): string | undefined {
  const { errorMessage: message, blockMessage } = readDiagnostics(values.diagnostics ?? {});
  return message ?? blockMessage ?? entry.error?.message;
}
