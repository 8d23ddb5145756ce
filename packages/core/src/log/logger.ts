// AuditLogger: the one path of log().
import { type Account, requireAccount } from "../format/account.ts";
import {
  type CleanupOptions,
  type CleanupSchedule,
  report,
  type ScheduleOptions,
  startSchedule,
} from "./cleanup.ts";
import { notify } from "../capture/callback.ts";
import { currentAuditContext } from "../capture/context.ts";
import type { CapturedFields } from "../capture/fields.ts";
import type { JsonValue } from "../format/canonical.ts";
import type { EncryptionManager } from "../keys/encryption.ts";
import type { SubjectKey } from "../keys/keys.ts";
import { endOfTurn } from "../capture/end-of-turn.ts";
import type { AuditEntry } from "../format/entry.ts";
import { lineToEntry } from "../format/entry-line.ts";
import { AuditDecryptError, AuditError, AuditInputError, AuditWriteError } from "../errors.ts";
import { type AuditHealth, measureHealth } from "./health.ts";
import { newEntryId, timestampOf } from "../format/id.ts";
import { formatControlLine } from "../format/control-line.ts";
import type { Interaction, InteractionFields, Metadata } from "../capture/interaction.ts";
import {
  type EntryFilter,
  type EntryQuery,
  hasConditions,
  isValidDate,
  meets,
  rangeOf,
} from "./query.ts";
import {
  type AuditLoggerOptions,
  type LoggerSettings,
  resolveLoggerOptions,
} from "./logger-options.ts";
import { type Claim, matchContent, openContent } from "./read-content.ts";
import {
  type Draft,
  draftEntry,
  hashInput,
  type RecordMode,
  type SealedEntry,
  sealEntry,
  withSameCall,
} from "../capture/draft.ts";
import type { CallSink, CallStart, OpenCall } from "../capture/call-sink.ts";
import { type CallLayer, CallPairs, type CaptureOrigin } from "../capture/same-call.ts";
import { FileStorage } from "../storage/file/file.ts";
import type { AuditStorage, TimeRange } from "../storage/storage.ts";

/** An entry that is being written. */
interface OnItsWay {
  written?: Promise<string>;
}

/** One entry of a data subject with its contents, where they were kept. */
export interface SubjectRecord {
  readonly entry: AuditEntry;
  readonly input?: JsonValue;
  readonly output?: JsonValue;
}

const DAY_MS = 86_400_000;

/** Managers whose key was warned about: one warning a key. */
const warned = new WeakSet<EncryptionManager>();

/**
 * Writes, finds, opens and removes the entries of one log.
 *
 * @example
 * await using logger = new AuditLogger("./audit-logs");
 * const id = await logger.log({ input: "Hello!", output: "Hi.", provider: "openai", model: "gpt-5" });
 *
 * @typeParam M what `metadataSchema` takes
 * @typeParam I what `log()` takes; follows from `M`. A parameter of its own, so that a logger with a schema can be
 * handed to whatever takes a logger.
 */
export class AuditLogger<
  M extends object = Metadata,
  I extends InteractionFields = Interaction<M>,
> {
  readonly storage: AuditStorage;
  /** For wrappers: their recorders write calls here. */
  readonly callSink: CallSink;
  readonly #settings: LoggerSettings;
  readonly #schedules = new Set<CleanupSchedule>();
  readonly #openCalls = new Set<OpenCall>();
  /** Of all calls that ever began. */
  readonly #layers = new Set<CallLayer>();
  /** Entries between the call of `log()` and their end: `flush()` and `close()` wait for them. */
  readonly #onTheirWay = new Set<OnItsWay>();
  readonly #pairs = new CallPairs();
  #closing: Promise<void> | undefined;

  /**
   * @param storage a storage, or the directory of a `FileStorage`
   * @throws `AUDIT_CONFIG_INVALID`
   */
  constructor(storage: AuditStorage | string, options: AuditLoggerOptions<M> = {}) {
    this.storage = typeof storage === "string" ? new FileStorage({ path: storage }) : storage;
    this.#settings = resolveLoggerOptions(this.storage, options);
    this.callSink = this.#openSink();
  }

  /** Given as an option. */
  get encryption(): EncryptionManager | undefined {
    return this.#settings.record.encryption;
  }

  /** `close()` was called: nothing more is written. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Days that `cleanupExpired()` keeps. */
  get retentionDays(): number {
    return this.#settings.retentionDays;
  }

  /**
   * Records one interaction. Resolves to the entry's id once the entry is durable and sealed.
   *
   * @throws `AUDIT_INPUT_INVALID` or `AUDIT_METADATA_INVALID` when a field cannot be used; `AUDIT_WRITE_FAILED`,
   * `AUDIT_BACKLOG` or `AUDIT_CLOSED` when the entry was not written.
   */
  async log(interaction: I): Promise<string> {
    if (this.#closing) throw new AuditWriteError("AUDIT_CLOSED", "log(): the logger is closed");
    return this.#record(interaction, "strict");
  }

  #openSink(): CallSink {
    const isClosed = (): boolean => this.closed;
    return {
      get closed() {
        return isClosed();
      },
      capture: (fields, origin) => this.#capture(fields, origin),
      started: (start, layer) => this.#started(start, layer),
      track: (call) => {
        this.#layers.add(call.layer);
        this.#openCalls.add(call);
      },
      untrack: (call) => {
        this.#openCalls.delete(call);
      },
    };
  }

  #capture(interaction: CapturedFields, origin?: CaptureOrigin): Promise<string> {
    if (!origin) return this.#record(interaction, "lenient");
    if (this.#layers.size === 1 && this.#layers.has(origin.layer))
      return this.#record(interaction, "wrapped"); // no twins
    const twin = this.#pairs.take(interaction, origin);
    const written = this.#record(interaction, "wrapped", twin);
    if (!twin) this.#pairs.offer(written, interaction, origin);
    return written;
  }

  #record(
    interaction: object,
    how: RecordMode | "wrapped",
    twin?: Promise<string | undefined>,
  ): Promise<string> {
    const way: OnItsWay = {};
    this.#onTheirWay.add(way);
    const written = this.#write(way, interaction, how, twin);
    way.written = written;
    written.catch(() => undefined); // whoever waits for it has the error
    return written;
  }

  /** What a caller hands over is his own, and looked at now; what a wrapper made can wait for the turn's other entries. */
  async #write(
    way: OnItsWay,
    interaction: object,
    how: RecordMode | "wrapped",
    twin: Promise<string | undefined> | undefined,
  ): Promise<string> {
    try {
      if (typeof interaction !== "object" || interaction === null)
        throw new AuditInputError("log() takes an object");
      const { record } = this.#settings;
      let drafting =
        how === "wrapped" ? undefined : draftEntry(interaction, how, record, currentAuditContext());
      if (drafting instanceof Promise) drafting = await drafting;
      await endOfTurn();
      drafting ??= draftEntry(interaction, "lenient", record);
      const drafted = drafting instanceof Promise ? await drafting : drafting;
      const draft = twin ? withSameCall(drafted, await twin) : drafted;
      let sealed: SealedEntry;
      try {
        const subject =
          draft.fields.subject === undefined ? undefined : await this.#subjectOf(draft);
        sealed = sealEntry(draft, subject, record);
      } catch (cause) {
        throw this.#lose(cause);
      }
      await this.#append(sealed.line, sealed.id); // nothing awaited since the id was made: ids ascend in the storage
      if (record.storeContent || record.digest === "hmac-sha256") this.#warnOfUnreadKey();
      return sealed.id;
    } finally {
      this.#onTheirWay.delete(way);
    }
  }

  /** An entry that cannot be sealed, for want of a subject's key say, is lost as much as one that cannot be written. */
  #lose(cause: unknown): AuditError {
    const error = AuditError.isInstance(cause)
      ? cause
      : new AuditWriteError("AUDIT_WRITE_FAILED", "the entry could not be sealed", { cause });
    this.storage.lose(newEntryId(), error.code);
    notify("onError", this.#settings.onError, error);
    return error;
  }

  async #started(start: CallStart, layer?: CallLayer): Promise<string> {
    if (layer) this.#layers.add(layer);
    const { provider = null, model = null, operation = "chat", input, subject } = start;
    const started = { input, output: "", subject };
    const draft = await draftEntry(
      started,
      "lenient",
      this.#settings.record,
      currentAuditContext(),
    );
    const call = newEntryId();
    const line = formatControlLine({
      type: "call.started",
      call,
      timestamp: timestampOf(call),
      provider,
      model,
      operation,
      input_hash: hashInput(draft, await this.#subjectOf(draft), this.#settings.record),
    });
    await this.#append(line, undefined);
    return call;
  }

  /** The entry with this id. */
  async getEntry(id: string): Promise<AuditEntry | undefined> {
    if (typeof id !== "string" || id === "")
      throw new AuditInputError("getEntry() takes an entry id");
    const line = await this.storage.get(id);
    return line === undefined ? undefined : lineToEntry(line);
  }

  /** All entries from `from` to `to`, both inclusive, oldest first. For many entries use `entries()`. */
  async getEntries(from: Date, to: Date, filter: EntryFilter = {}): Promise<AuditEntry[]> {
    return Array.fromAsync(this.entries({ ...filter, from, to }));
  }

  /**
   * The entries that meet `query`, in the order of their time; one page is in memory at a time.
   * Throws `AUDIT_INPUT_INVALID` for invalid dates, at once.
   */
  entries(query: EntryQuery = {}): AsyncGenerator<AuditEntry, void, undefined> {
    return this.#select(rangeOf(query), query);
  }

  async *#select(range: TimeRange, query: EntryQuery): AsyncGenerator<AuditEntry, void, undefined> {
    const subjectIds =
      query.subject === undefined ? [] : await this.#subjectKeys().subjectIds(query.subject);
    for await (const page of this.storage.pages(
      range,
      query.newestFirst ? "newest-first" : "oldest-first",
    )) {
      for (const line of page) {
        const entry = lineToEntry(line);
        if (entry && meets(entry, query, subjectIds)) yield entry;
      }
    }
  }

  /** How many entries meet `query`. A call that two layers recorded counts once. */
  async count(query: EntryQuery = {}): Promise<number> {
    const range = rangeOf(query);
    if (!hasConditions(query)) return this.storage.count(range);
    let count = 0;
    for await (const entry of this.#select(range, query))
      if (entry.run?.sameCallAs === undefined) count += 1;
    return count;
  }

  /**
   * Opens a JWE or Fernet text. `content()` also checks that it belongs to its entry.
   *
   * @throws `AUDIT_KEY_MISSING`, `AUDIT_DECRYPT_FAILED` or `AUDIT_SUBJECT_ERASED`
   */
  decryptContent(content: string): string {
    return this.#keys("decryptContent()").decrypt(content);
  }

  /**
   * An entry's contents, decrypted and parsed; undefined where only the hash was kept.
   *
   * @throws as `decryptContent()`
   */
  content(entry: AuditEntry): { input?: JsonValue; output?: JsonValue } {
    return openContent(entry, this.encryption);
  }

  /**
   * Whether an entry's hashes are those of the claimed contents, for each one given.
   *
   * @throws `AUDIT_KEY_MISSING` when the hash is keyed and its key is not here
   */
  verifyContent(entry: AuditEntry, claimed: Claim): { input?: boolean; output?: boolean } {
    return matchContent(entry, claimed, this.encryption);
  }

  /**
   * Removes what is past `retentionDays`, whole files at a time. Resolves to the number of entries removed. A file that
   * is not what was sealed stays, as evidence: `onError` is told, or else a process warning says so.
   */
  async cleanupExpired({
    now = new Date(),
    dryRun = false,
    actor = "ai-audit",
  }: CleanupOptions = {}): Promise<number> {
    if (!isValidDate(now)) throw new AuditInputError("now is not a valid Date");
    const { entries, expired = [] } = await this.storage.prune({
      before: now.getTime() - this.retentionDays * DAY_MS,
      policy: `retention ${this.retentionDays} days`,
      actor,
      dryRun,
      now: now.getTime(),
    });
    for (const { file, fate, reason = "" } of dryRun ? [] : expired) {
      if (fate !== "refused") continue;
      const message = `${file} is past retention and stays: ${reason}. Verify the log`;
      report(new AuditError("AUDIT_READ_FAILED", message), this.#settings.onError);
    }
    return entries;
  }

  /**
   * Makes everything that was kept of one data subject unreadable for good: records `subject.erased`, then destroys
   * the subject's secret. The log still verifies, everybody else's content still opens. Call it again when it rejects.
   * Resolves to the key ids that stood for the subject, empty when there were none.
   *
   * @throws `AUDIT_SUBJECT_INVALID` without a key store, `AUDIT_WRITE_FAILED` when the record cannot be kept
   */
  async eraseSubject(name: string, by: Account): Promise<readonly string[]> {
    const keys = this.#subjectKeys();
    requireAccount("eraseSubject()", by);
    for (const subject of await keys.subjectIds(name)) {
      await this.#append(
        formatControlLine({ type: "subject.erased", subject, actor: by.actor, reason: by.reason }),
        undefined,
      );
    }
    return keys.eraseSubject(name);
  }

  /** Everything kept of one data subject, opened: what an access request asks for. */
  async *exportSubject(name: string): AsyncGenerator<SubjectRecord, void, undefined> {
    this.#subjectKeys();
    for await (const entry of this.entries({ subject: name }))
      yield { entry, ...this.content(entry) };
  }

  /** Runs `cleanupExpired()` on a schedule, by default daily at 02:00, until stopped or until the logger closes. */
  scheduleCleanup(options: ScheduleOptions = {}): CleanupSchedule {
    if (this.#closing)
      throw new AuditWriteError("AUDIT_CLOSED", "scheduleCleanup(): the logger is closed");
    const schedule = startSchedule(() => this.cleanupExpired(), options, this.#settings.onError);
    this.#schedules.add(schedule);
    return schedule;
  }

  /** Figures of the whole log, of its last hour and of the write lane. */
  async health(): Promise<AuditHealth> {
    return measureHealth(this.storage, Date.now());
  }

  /** Resolves when everything logged before the call is durable or was rejected. */
  async flush(): Promise<void> {
    await Promise.allSettled([...this.#onTheirWay].map(async ({ written }) => written)); // whoever logged has the error
    await this.storage.flush();
  }

  /** Ends open calls as abandoned, stops schedules, flushes and seals. Idempotent. Later writes reject. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const schedule of this.#schedules) schedule.stop();
    await Promise.allSettled([...this.#openCalls].map((call) => call.abandon()));
    await this.flush();
    await this.storage.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #append(line: string, id: string | undefined): Promise<void> {
    const waiting = this.storage.status().pendingBytes;
    try {
      if (waiting > 0 && waiting + line.length > this.#settings.maxPendingBytes) {
        const reason = `${waiting} bytes already wait to be written (maxPendingBytes)`;
        if (id !== undefined) this.storage.lose(id, reason);
        throw new AuditWriteError("AUDIT_BACKLOG", reason);
      }
      await this.storage.append(line, id);
    } catch (cause) {
      const error = AuditError.isInstance(cause)
        ? cause
        : new AuditWriteError("AUDIT_WRITE_FAILED", "the storage could not keep the entry", {
            cause,
          });
      notify("onError", this.#settings.onError, error);
      throw error;
    }
  }

  async #subjectOf({ fields: { subject } }: Draft): Promise<SubjectKey | undefined> {
    return typeof subject === "string" ? this.#subjectKeys().subjectKey(subject) : undefined;
  }

  #subjectKeys(): EncryptionManager {
    if (this.encryption) return this.encryption;
    throw new AuditError(
      "AUDIT_SUBJECT_INVALID",
      "a subject needs encryption with a key store (subjects)",
    );
  }

  #keys(caller: string): EncryptionManager {
    if (this.encryption) return this.encryption;
    throw new AuditDecryptError("AUDIT_KEY_MISSING", `${caller} needs a logger with encryption`);
  }

  #warnOfUnreadKey(): void {
    if (!this.encryption?.unread || !this.storage.durable || warned.has(this.encryption)) return;
    warned.add(this.encryption);
    process.emitWarning(
      "Entries are being written under a generated key that nobody has read: call encryption.getKey() and keep the key, " +
        "or their content and hashes cannot be opened or checked after this process ends.",
      { type: "AuditWarning", code: "AUDIT_KEY_UNREAD" },
    );
  }
}
