// The way of an entry into the log: resolve, redact, hash and encrypt, line, group commit, acknowledged.
import { notify } from "../capture/callback.ts";
import { type AuditContext, currentAuditContext, NO_CONTEXT } from "../capture/context.ts";
import {
  type Draft,
  draftEntry,
  hashInput,
  type RecordMode,
  type SealedEntry,
  sealEntry,
  withSameCall,
} from "../capture/draft.ts";
import type { SubjectKey } from "../keys/keys.ts";
import { AuditError, AuditInputError, AuditWriteError } from "../errors.ts";
import { newEntryId } from "../format/id.ts";
import { type LoggerSettings, requireSubjectKeys } from "./options.ts";
import type { AuditStorage } from "../storage/storage.ts";

/** Writes the entries of one logger. */
export class EntryWriter {
  readonly #storage: AuditStorage;
  readonly #settings: LoggerSettings;
  /** Entries between their call and their end. */
  readonly #pending = new Set<Promise<string>>();

  constructor(storage: AuditStorage, settings: LoggerSettings) {
    this.#storage = storage;
    this.#settings = settings;
  }

  /**
   * Writes one entry and resolves to its id. The caller may change its object later, so the object is copied before
   * this returns. The caller's audit context counts.
   */
  write(interaction: object, mode: RecordMode): Promise<string> {
    return this.#track(this.#write(interaction, mode, currentAuditContext()));
  }

  /**
   * Writes the entry of a wrapper's call, which inherited its context when the call began. `sameCallAs`: the id of
   * the entry that another layer writes for the same call.
   */
  writeCall(fields: object, sameCallAs?: Promise<string | undefined>): Promise<string> {
    return this.#track(this.#write(fields, "lenient", NO_CONTEXT, sameCallAs));
  }

  /** Resolves when all entries and lines written before are durable or rejected. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#pending); // the caller of each has the error
    await this.#storage.flush();
  }

  /** Makes a line durable. `id`: of its entry; a control line has none. */
  async append(line: string, id?: string): Promise<void> {
    const { pendingBytes } = this.#storage.status();
    try {
      if (pendingBytes > 0 && pendingBytes + line.length > this.#settings.maxPendingBytes) {
        const reason = `${pendingBytes} bytes already wait to be written (maxPendingBytes)`;
        if (id !== undefined) this.#storage.lose(id, reason);
        throw new AuditWriteError("AUDIT_BACKLOG", reason);
      }
      await this.#storage.append(line, id);
    } catch (cause) {
      const message = "the storage could not keep the entry";
      const error = AuditError.isInstance(cause)
        ? cause
        : new AuditWriteError("AUDIT_WRITE_FAILED", message, { cause });
      notify("onError", this.#settings.onError, error);
      throw error;
    }
  }

  /** The input hash that the entry of this call will have. */
  async hashOfInput(input: unknown, subject: string | undefined): Promise<string> {
    const { record } = this.#settings;
    const start = { input, output: "", subject };
    const draft = await draftEntry(start, "lenient", record, currentAuditContext());
    return hashInput(draft, await this.#subjectOf(draft), record);
  }

  #track(written: Promise<string>): Promise<string> {
    this.#pending.add(written);
    const settle = (): void => void this.#pending.delete(written);
    written.then(settle, settle);
    return written;
  }

  async #write(
    interaction: object,
    mode: RecordMode,
    context: AuditContext,
    sameCallAs?: Promise<string | undefined>,
  ): Promise<string> {
    if (typeof interaction !== "object" || interaction === null)
      throw new AuditInputError("log() takes an object");
    const { record } = this.#settings;
    const drafted = draftEntry(interaction, mode, record, context);
    let draft = drafted instanceof Promise ? await drafted : drafted;
    if (sameCallAs) draft = withSameCall(draft, await sameCallAs);
    let entry: SealedEntry;
    try {
      const subject = draft.fields.subject === undefined ? undefined : await this.#subjectOf(draft);
      entry = sealEntry(draft, subject, record);
    } catch (cause) {
      throw this.#lose(cause);
    }
    // Nothing is awaited between the making of an id and the append: ids ascend in the storage.
    await this.append(entry.line, entry.id);
    const isKeyed = record.storeContent || record.digest === "hmac-sha256";
    if (isKeyed && this.#storage.durable) record.encryption?.warnOfUnreadKey();
    return entry.id;
  }

  /** An entry that cannot be hashed or encrypted, because a subject's key is missing say, is lost too. */
  #lose(cause: unknown): AuditError {
    const message = "the entry could not be hashed and encrypted";
    const error = AuditError.isInstance(cause)
      ? cause
      : new AuditWriteError("AUDIT_WRITE_FAILED", message, { cause });
    this.#storage.lose(newEntryId(), error.code);
    notify("onError", this.#settings.onError, error);
    return error;
  }

  async #subjectOf({ fields: { subject } }: Draft): Promise<SubjectKey | undefined> {
    if (typeof subject !== "string") return undefined;
    return requireSubjectKeys(this.#settings.record.encryption).subjectKey(subject);
  }
}
