// The way of an entry into the log: resolve, redact, hash and encrypt, line, group commit,
// acknowledged.
import { notify, report } from "../capture/callback.ts";
import { activeTrace } from "../capture/active-trace.ts";
import {
  type AuditContext,
  currentAuditContext,
  currentRunScope,
  NO_CONTEXT,
} from "../capture/context.ts";
import type { RunScope } from "../capture/run-scope.ts";
import {
  type Draft,
  draftEntry,
  hashInput,
  type DraftMode,
  type FinishedEntry,
  finishEntry,
  withSameCall,
} from "../capture/draft.ts";
import type { SubjectKey } from "../keys/keys.ts";
import { AuditError, AuditInputError, AuditWriteError } from "../errors.ts";
import { newEntryId } from "../format/id.ts";
import { type LoggerSettings, requireSubjectKeys } from "./options.ts";
import { RunRecord } from "./run-record.ts";
import type { AuditStorage } from "../storage/storage.ts";

/**
 * Memory of a pending entry beside its line, in bytes. Measured on Node 24 with 200,000 calls that
 * nobody awaited on a directory: 1,884 whether the input had 10 bytes or 1 KB, 1,879 with content
 * stored, 2,036 in open mode. A storage in memory has no pending entries.
 */
const ENTRY_BYTES = 2048;

/** The origin of an entry. */
interface Way {
  readonly mode: DraftMode;
  readonly context: AuditContext;
  readonly within: RunScope | undefined;
  readonly sameCallAs?: Promise<string | undefined> | undefined;
}

/** Writes the entries of one logger. */
export class EntryWriter {
  readonly #storage: AuditStorage;
  readonly #settings: LoggerSettings;
  /** Entries between their call and their end. */
  readonly #pending = new Set<Promise<string>>();
  readonly #runs: RunRecord;
  /** Entries that wait for room, oldest first. */
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;
  /** One process warning for failures in a row. */
  #warned = false;

  constructor(storage: AuditStorage, settings: LoggerSettings) {
    this.#storage = storage;
    this.#settings = settings;
    this.#runs = new RunRecord(storage);
  }

  /** As `write` of an interaction by hand; in open mode a failure resolves to the empty string. */
  log(interaction: object): Promise<string> {
    const written = this.#isClosed
      ? Promise.reject<string>(this.#closedError())
      : this.write(interaction, "strict");
    return this.#settings.failureMode === "closed" ? written : written.catch(() => "");
  }

  /**
   * Writes one entry and resolves to its id. The caller may change its object later, so the object
   * is copied before this returns. The caller's audit context counts.
   */
  write(interaction: object, mode: DraftMode): Promise<string> {
    const trace = activeTrace();
    const around = currentAuditContext();
    const context = trace && !around.trace ? { ...around, trace } : around;
    return this.#track(this.#write(interaction, { mode, context, within: currentRunScope() }));
  }

  /**
   * Writes the entry of a wrapper's call, which inherited its context when the call began.
   * `within`: the run that the call is part of. `sameCallAs`: the id of the entry that another
   * layer writes for the same call.
   */
  writeCall(
    fields: object,
    within: RunScope | undefined,
    sameCallAs?: Promise<string | undefined>,
  ): Promise<string> {
    const way: Way = { mode: "lenient", context: NO_CONTEXT, within, sameCallAs };
    return this.#track(this.#write(fields, way));
  }

  /** Refuses further `log()` calls. Open calls still get their entries. */
  close(): void {
    this.#isClosed = true;
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when all entries and lines written before are durable or rejected. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#pending); // the caller of each has the error
    await this.#storage.flush();
  }

  /** Makes a line durable. `id`: of its entry; a control line has none. */
  async append(line: string, id?: string): Promise<void> {
    const held = this.#heldBytes();
    try {
      if (held > 0 && held + line.length > this.#settings.maxPendingBytes && !this.#waits(id)) {
        const reason = `${held} bytes already wait to be written (maxPendingBytes)`;
        if (id !== undefined) this.#storage.lose(id, reason);
        throw new AuditWriteError("AUDIT_BACKLOG", reason);
      }
      await this.#storage.append(line, id);
      this.#warned = false;
    } catch (cause) {
      const message = "the storage could not keep the entry";
      const error = AuditError.isInstance(cause)
        ? cause
        : new AuditWriteError("AUDIT_WRITE_FAILED", message, { cause });
      this.#tell(error);
      throw error;
    }
  }

  /** Entries of a logger that waits have waited already. */
  #waits(id: string | undefined): boolean {
    return id !== undefined && this.#settings.whenFull === "wait";
  }

  #heldBytes(): number {
    const { pending, pendingBytes } = this.#storage.status();
    return pendingBytes + pending * ENTRY_BYTES;
  }

  get #mustWait(): boolean {
    const { whenFull, maxPendingBytes } = this.#settings;
    return whenFull === "wait" && this.#heldBytes() >= maxPendingBytes;
  }

  /** Resolves when there is room. Each entry that ends lets the next one through. */
  async #room(): Promise<void> {
    do await new Promise<void>((resolve) => this.#waiting.push(resolve));
    while (this.#mustWait);
  }

  /**
   * Reports a lost entry to the program. In closed mode the caller also gets the rejection.
   */
  #tell(error: AuditError): void {
    const { onError, failureMode } = this.#settings;
    if (onError || failureMode === "closed") return notify("onError", onError, error);
    if (!this.#warned) report("onError", undefined, error);
    this.#warned = true;
  }

  #closedError(): AuditWriteError {
    const error = new AuditWriteError("AUDIT_CLOSED", "log(): the logger is closed");
    if (this.#settings.failureMode === "open") this.#tell(error);
    return error;
  }

  /** The input hash that the entry of this call will have. */
  async hashOfInput(input: unknown, subject: string | undefined): Promise<string> {
    const settings = this.#settings.draft;
    const start = { input, output: "", subject };
    const draft = await draftEntry(start, "lenient", settings, currentAuditContext());
    return hashInput(draft, await this.#subjectOf(draft), settings);
  }

  #track(written: Promise<string>): Promise<string> {
    this.#pending.add(written);
    const untrack = (): void => {
      this.#pending.delete(written);
      this.#waiting.shift()?.();
    };
    written.then(untrack, untrack);
    return written;
  }

  async #write(interaction: object, { mode, context, within, sameCallAs }: Way): Promise<string> {
    const settings = this.#settings.draft;
    let draft: Draft;
    try {
      if (typeof interaction !== "object" || interaction === null)
        throw new AuditInputError("log() takes an object");
      const drafted = draftEntry(interaction, mode, settings, context);
      draft = drafted instanceof Promise ? await drafted : drafted;
    } catch (cause) {
      // An invalid interaction is the caller's mistake; in open mode its caller gets no error.
      throw this.#settings.failureMode === "open" ? this.#lose(cause) : cause;
    }
    if (sameCallAs) draft = withSameCall(draft, await sameCallAs);
    if (this.#waiting.length > 0 || this.#mustWait) await this.#room();
    let subject: SubjectKey | undefined;
    try {
      if (draft.fields.subject !== undefined) subject = await this.#subjectOf(draft);
    } catch (cause) {
      throw this.#lose(cause);
    }
    return this.#finish(draft, subject, within);
  }

  /**
   * Makes the line and appends it. Not async: the frame of a function that waits for the append
   * would hold the contents, which `maxPendingBytes` does not count.
   */
  #finish(
    draft: Draft,
    subject: SubjectKey | undefined,
    within: RunScope | undefined,
  ): Promise<string> {
    if (within) this.#runs.announce(within, draft.fields.run);
    let entry: FinishedEntry;
    try {
      entry = finishEntry(draft, subject, this.#settings.draft);
    } catch (cause) {
      throw this.#lose(cause);
    }
    // Nothing is awaited between the making of an id and the append: ids ascend in the storage.
    return this.#acknowledge(entry);
  }

  async #acknowledge({ line, id }: FinishedEntry): Promise<string> {
    await this.append(line, id);
    const { storeContent, digest, encryption } = this.#settings.draft;
    const isKeyed = storeContent || digest === "hmac-sha256";
    if (isKeyed && this.#storage.durable) encryption?.warnOfUnreadKey();
    return id;
  }

  /**
   * An entry that cannot be hashed or encrypted, because a subject's key is missing say, is lost
   * too.
   */
  #lose(cause: unknown): AuditError {
    const message = "the entry could not be hashed and encrypted";
    const error = AuditError.isInstance(cause)
      ? cause
      : new AuditWriteError("AUDIT_WRITE_FAILED", message, { cause });
    this.#storage.lose(newEntryId(), error.code);
    this.#tell(error);
    return error;
  }

  async #subjectOf({ fields: { subject } }: Draft): Promise<SubjectKey | undefined> {
    if (typeof subject !== "string") return undefined;
    return requireSubjectKeys(this.#settings.draft.encryption).subjectKey(subject);
  }
}
