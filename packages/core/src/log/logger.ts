// AuditLogger: what a program holds of its log. The work is done in writing.ts, reading.ts,
// keeping.ts, wrapping.ts. Over 300 lines, half of them docstrings of the public class.
import { notify, report } from "../capture/callback.ts";
import type { CallSink } from "../capture/call-sink.ts";
import { Deadline } from "../capture/deadline.ts";
import type { Interaction, InteractionFields, Metadata } from "../capture/interaction.ts";
import { AuditDecryptError, AuditInputError, AuditWriteError } from "../errors.ts";
import { formatControlLine } from "../format/control-line.ts";
import type { AuditEntry } from "../format/entry.ts";
import type { EncryptionManager } from "../keys/encryption.ts";
import { type ContentCheck, type EntryContent, matchContent, requireContent } from "./content.ts";
import { closeOnExit } from "./exit.ts";
import { type AuditHealth, HealthCheck, type HealthOptions } from "./health.ts";
import {
  type ActorAndReason,
  type CleanupOptions,
  type CleanupSchedule,
  eraseSubject,
  removeExpired,
  type ScheduleOptions,
  startSchedule,
} from "./keeping.ts";
import {
  type AuditLoggerOptions,
  type LoggerSettings,
  requireSubjectKeys,
  resolveLoggerOptions,
} from "./options.ts";
import type { EntryFilter, EntryQuery } from "./query.ts";
import {
  countEntries,
  exportSubject,
  getEntry,
  selectEntries,
  type SubjectEntry,
} from "./reading.ts";
import { joinReviews, type ReviewCase, type ReviewDecision, reviewFields } from "./reviews.ts";
import { WrappedCalls } from "./wrapping.ts";
import { EntryWriter } from "./writing.ts";
import { requireNode } from "../runtime.ts";
import { FileStorage } from "../storage/file/file.ts";
import type { AuditStorage } from "../storage/storage.ts";

/**
 * Writes, finds, opens and removes the entries of one log.
 *
 * @example
 * await using logger = new AuditLogger("./audit-logs");
 * const id = await logger.log({ input: "Hello!", output: "Hi.", provider: "openai", model: "gpt-5" });
 *
 * @typeParam M the type that `metadataSchema` takes
 * @typeParam I the type that `log()` takes; follows from `M`. A parameter of its own, so that a logger with a schema
 * is also an `AuditLogger` without one.
 */
export class AuditLogger<
  M extends object = Metadata,
  I extends InteractionFields = Interaction<M>,
> {
  readonly storage: AuditStorage;
  readonly #settings: LoggerSettings;
  readonly #writer: EntryWriter;
  readonly #calls: WrappedCalls;
  readonly #health: HealthCheck;
  readonly #schedules = new Set<CleanupSchedule>();
  readonly #keepOpen: () => void;
  #closing: Promise<void> | undefined;

  /**
   * @param storage a storage, or the directory of a `FileStorage`
   * @throws `AUDIT_CONFIG_INVALID`
   */
  constructor(storage: AuditStorage | string, options: AuditLoggerOptions<M> = {}) {
    requireNode();
    this.storage = typeof storage === "string" ? new FileStorage({ path: storage }) : storage;
    this.#settings = resolveLoggerOptions(this.storage, options);
    this.#writer = new EntryWriter(this.storage, this.#settings);
    this.#health = new HealthCheck(this.storage, this.#settings.anchor);
    this.#calls = new WrappedCalls(this.#writer, this, this.#settings.failureMode);
    this.#keepOpen = this.#settings.closeOnExit ? closeOnExit(() => this.close()) : () => undefined;
    const { onError } = this.#settings;
    if (onError) this.storage.onProblem?.((error) => notify("onError", onError, error));
    this.#settings.anchor?.onProblem((error) => report("onError", onError, error));
  }

  /** The option of that name. */
  get encryption(): EncryptionManager | undefined {
    return this.#settings.draft.encryption;
  }

  /** True once `close()` was called: nothing more is written. */
  get closed(): boolean {
    return this.#writer.closed;
  }

  /** Days that `cleanupExpired()` keeps. */
  get retentionDays(): number {
    return this.#settings.retentionDays;
  }

  /** The port that wrappers write calls to. */
  get callSink(): CallSink {
    return this.#calls;
  }

  /**
   * Records one interaction. Resolves to the entry's id once the entry is durable and sealed. With
   * `failureMode: "open"` it never rejects: it resolves to the empty string when the entry was not
   * written.
   *
   * @throws `AUDIT_INPUT_INVALID` or `AUDIT_METADATA_INVALID` when a field cannot be used;
   * `AUDIT_WRITE_FAILED`, `AUDIT_BACKLOG` or `AUDIT_CLOSED` when the entry was not written.
   */
  async log(interaction: I): Promise<string> {
    return this.#writer.log(interaction);
  }

  /**
   * Records a person's decision about an entry, a run or an interrupt, as an entry of its own
   * (`human_review`). What was shown, the reason, and the values before and after are kept as
   * content. Resolves to the entry's id once the entry is durable and sealed. An id that is not in
   * the log is recorded with an alert.
   *
   * @example
   * await logger.review({ of: entryId, by: "ada", role: "credit officer", verdict: "approved" });
   * @throws as `log()`
   */
  async review(decision: ReviewDecision): Promise<string> {
    return this.#writer.log(await reviewFields(this.storage, decision));
  }

  /**
   * The requests for a person's decision in the entries that meet `query`, with their decisions,
   * oldest first: interrupted calls and entries with `reviewRequired`.
   *
   * @example
   * const open = (await logger.reviews()).filter(({ decided }) => !decided);
   */
  async reviews({ to, where, ...query }: EntryQuery = {}): Promise<ReviewCase[]> {
    const isAsked = (entry: AuditEntry): boolean =>
      (to === undefined || Date.parse(entry.timestamp) <= to.getTime()) && where?.(entry) !== false;
    const meets = (entry: AuditEntry): boolean => entry.review !== undefined || isAsked(entry);
    const entries = this.entries({ ...query, newestFirst: false, where: meets });
    return joinReviews(entries, Date.now());
  }

  /** Resolves when everything logged before the call is durable or was rejected. */
  async flush(): Promise<void> {
    await this.#writer.flush();
  }

  /**
   * Resolves once this logger has proven that it can write: it writes a `heartbeat` line, on the
   * same path as every entry, through keys, directory or bucket. Use it for readiness checks and
   * before the first paid call.
   *
   * @param options `timeoutMs`: after this many milliseconds the promise rejects with
   * `AUDIT_WRITE_TIMEOUT`. @default 30000
   * @throws as `log()`, with the reason
   */
  async ready({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    checkTimeout("ready", timeoutMs);
    const { encryption, stream } = this.#settings.draft;
    encryption?.kidFor(stream, undefined);
    const line = formatControlLine({ type: "heartbeat", at: new Date().toISOString() });
    const late = `ready(): the storage did not confirm a line within ${timeoutMs} ms`;
    await deadlineOf(timeoutMs, late).limit(this.#writer.append(line));
  }

  /** The entry with this id. */
  async getEntry(id: string): Promise<AuditEntry | undefined> {
    return getEntry(this, id);
  }

  /**
   * All entries from `from` to `to`, both inclusive, oldest first. For many entries use
   * `entries()`.
   */
  async getEntries(from: Date, to: Date, filter: EntryFilter = {}): Promise<AuditEntry[]> {
    return Array.fromAsync(this.entries({ ...filter, from, to }));
  }

  /**
   * The entries that meet `query`, in the order of their time; one page is in memory at a time.
   *
   * @throws `AUDIT_INPUT_INVALID` for a query that cannot be used, when called
   */
  entries(query: EntryQuery = {}): AsyncGenerator<AuditEntry, void, undefined> {
    return selectEntries(this, query);
  }

  /** Number of entries that meet `query`. A call that two layers recorded counts once. */
  async count(query: EntryQuery = {}): Promise<number> {
    return countEntries(this, query);
  }

  /**
   * Opens a JWE or a Fernet token. `content()` also checks that it belongs to its entry.
   *
   * @throws `AUDIT_KEY_MISSING`, `AUDIT_DECRYPT_FAILED` or `AUDIT_SUBJECT_ERASED`
   */
  decryptContent(content: string): string {
    if (this.encryption) return this.encryption.decrypt(content);
    const message = "decryptContent() needs a logger with encryption";
    throw new AuditDecryptError("AUDIT_KEY_MISSING", message);
  }

  /**
   * An entry's contents, decrypted and parsed; absent where only the hash was kept. `openContent()`
   * of
   * @ai-audit/core/verify opens each content on its own instead of throwing the first failure.
   *
   * @throws as `decryptContent()`
   */
  content(entry: AuditEntry): EntryContent {
    return requireContent(entry, this.encryption);
  }

  /**
   * Compares an entry's hashes with contents, for each one given.
   *
   * @throws `AUDIT_KEY_MISSING` when the hash is keyed and its key is not here
   */
  verifyContent(
    entry: AuditEntry,
    content: ContentCheck,
  ): { input?: boolean; output?: boolean; diagnostics?: boolean } {
    return matchContent(entry, content, this.encryption);
  }

  /**
   * Figures of the whole log, of its last hour and of the write queue. Does not reject where the
   * storage fails or hangs: `lastError` and `readError` have the reasons.
   */
  async health({ timeoutMs = 10_000 }: HealthOptions = {}): Promise<AuditHealth> {
    checkTimeout("health", timeoutMs);
    return this.#health.measure(Date.now(), timeoutMs);
  }

  /**
   * Removes what is past `retentionDays`, whole files at a time. Resolves to the number of entries
   * removed. A file that does not match its seal stays as evidence, reported to `onError`, or else
   * by a process warning.
   */
  async cleanupExpired(options: CleanupOptions = {}): Promise<number> {
    return removeExpired(this.storage, this.retentionDays, this.#settings.onError, options);
  }

  /**
   * Runs `cleanupExpired()` on a schedule, by default daily at 02:00, until stopped or until the
   * logger closes.
   */
  scheduleCleanup(options: ScheduleOptions = {}): CleanupSchedule {
    if (this.closed)
      throw new AuditWriteError("AUDIT_CLOSED", "scheduleCleanup(): the logger is closed");
    const schedule = startSchedule(() => this.cleanupExpired(), options, this.#settings.onError);
    this.#schedules.add(schedule);
    return schedule;
  }

  /**
   * Makes everything kept of one data subject permanently unreadable: records `subject.erased`,
   * then destroys the subject's secret. The log still verifies, and all other content still opens.
   * Call it again when it rejects. Resolves to the key ids that stood for the subject, empty when
   * there were none.
   *
   * @throws `AUDIT_SUBJECT_INVALID` without a key store, `AUDIT_WRITE_FAILED` when the record
   * cannot be kept
   */
  async eraseSubject(name: string, by: ActorAndReason): Promise<readonly string[]> {
    const append = (line: string): Promise<void> => this.#writer.append(line);
    return eraseSubject(append, requireSubjectKeys(this.encryption), name, by);
  }

  /** All entries of one data subject, opened: the answer to an access request. */
  exportSubject(name: string): AsyncGenerator<SubjectEntry, void, undefined> {
    return exportSubject(this, name);
  }

  /**
   * Ends open calls as abandoned, stops schedules, flushes, seals, and anchors a last time.
   * Idempotent. Later writes reject.
   *
   * @param options `timeoutMs`: after this many milliseconds the promise rejects with
   * `AUDIT_WRITE_TIMEOUT`, and the
   *   closing goes on. @default no limit
   */
  async close({ timeoutMs = Infinity }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close();
    if (timeoutMs === Infinity) return this.#closing;
    checkTimeout("close", timeoutMs);
    const late = `close(): not everything was durable within ${timeoutMs} ms`;
    return deadlineOf(timeoutMs, late).limit(this.#closing);
  }

  async #close(): Promise<void> {
    this.#writer.close();
    this.#keepOpen();
    for (const schedule of this.#schedules) schedule.stop();
    await this.#calls.abandonAll();
    await this.flush();
    await this.storage.close();
    await this.#settings.anchor?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function checkTimeout(method: string, timeoutMs: number): void {
  if (!(timeoutMs > 0)) throw new AuditInputError(`${method}(): timeoutMs must be a number > 0`);
}

function deadlineOf(timeoutMs: number, late: string): Deadline {
  return new Deadline(timeoutMs, () => new AuditWriteError("AUDIT_WRITE_TIMEOUT", late));
}
