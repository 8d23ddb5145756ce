// What every wrapper shares: one call, one entry, one terminal outcome, and what happens when it cannot be written.
import { notify } from "./callback.ts";
import { addFields, CallFields, type CapturedFields, membersOf } from "./fields.ts";
import { currentAuditContext } from "./context.ts";
import { Deadline } from "./deadline.ts";
import { AuditConfigError, AuditError, AuditWriteError } from "../errors.ts";
import type { Metadata } from "./interaction.ts";
import type { CallLogger, CallSink, OpenCall } from "./call-sink.ts";
import type { CallLayer } from "./same-call.ts";

/** Options that all wrappers have. */
export interface CaptureOptions {
  readonly logger: CallLogger;
  /**
   * When an entry cannot be written: `closed` fails the call with an `AuditWriteError`, `open` leaves the caller's
   * result untouched. @default "closed"
   */
  readonly failureMode?: "closed" | "open" | undefined;
  /** Durably record that a call begins before it is sent. @default false */
  readonly intent?: boolean | undefined;
  /** A write that takes longer counts as failed (`AUDIT_WRITE_TIMEOUT`), in milliseconds. @default 30000 */
  readonly writeTimeoutMs?: number | undefined;
  /** Told of every entry that could not be written, in both modes. */
  readonly onAuditError?: ((error: AuditError) => void) | undefined;
  /** For every entry of this wrapper; what the call or the context says wins. */
  readonly conversationId?: string | undefined;
  readonly metadata?: Metadata | undefined;
  readonly subject?: string | undefined;
}

/** Their names, for wrappers that refuse what they do not know. */
export const CAPTURE_OPTIONS: Readonly<Record<keyof CaptureOptions, true>> = {
  logger: true,
  failureMode: true,
  intent: true,
  writeTimeoutMs: true,
  onAuditError: true,
  conversationId: true,
  metadata: true,
  subject: true,
};

/** Counts since the recorder was made. */
export interface CaptureStats {
  /** Calls that have begun and whose entry is not written yet. */
  readonly open: number;
  readonly written: number;
  /** Entries and start records that could not be written. */
  readonly lost: number;
}

/** Makes the entries of one wrapper's calls. */
export class CallRecorder {
  readonly #options: CaptureOptions;
  readonly #sink: CallSink;
  /** For every entry. */
  readonly #own: CapturedFields;
  readonly #layer: CallLayer;
  readonly #deadline: Deadline;
  readonly #writeEnded: WriteEnded = (call, fields, cause) => this.#write(call, fields, cause);
  #open = 0;
  #written = 0;
  #lost = 0;

  /**
   * @param layer what the wrapper wraps. One call seen by both layers of one logger is linked and counted once.
   * @throws `AUDIT_CONFIG_INVALID`
   */
  constructor(options: CaptureOptions, layer: CallLayer = "client") {
    const { logger, failureMode = "closed", writeTimeoutMs = 30_000 } = options;
    if (typeof logger?.callSink?.capture !== "function")
      throw new AuditConfigError("audit: logger must be an AuditLogger");
    if (failureMode !== "closed" && failureMode !== "open") {
      throw new AuditConfigError(
        `failureMode must be 'closed' or 'open', not ${JSON.stringify(failureMode)}`,
      );
    }
    if (!(writeTimeoutMs > 0)) throw new AuditConfigError("writeTimeoutMs must be a number > 0");
    this.#options = options;
    this.#sink = logger.callSink;
    const { conversationId, subject, metadata } = options;
    this.#own = { conversationId, subject, metadata: membersOf("metadata", metadata) };
    this.#layer = layer;
    const missed = (): AuditError =>
      new AuditWriteError("AUDIT_WRITE_TIMEOUT", `not durable within ${writeTimeoutMs} ms`);
    this.#deadline = new Deadline(writeTimeoutMs, missed);
  }

  get failsClosed(): boolean {
    return this.#options.failureMode !== "open";
  }

  get stats(): CaptureStats {
    return { open: this.#open, written: this.#written, lost: this.#lost };
  }

  /**
   * Begins a call. With `intent`, resolves once its start is durable, and in fail-closed mode rejects with an
   * `AuditWriteError` when it cannot be, also without `intent` when the logger is closed: then nothing may be sent.
   * Otherwise it is synchronous. The entry inherits the audit context in force here, wherever the call ends.
   *
   * @param partial what is known of the call when the logger closes under it; `abandoned` unless it knows an outcome
   */
  begin(
    fields: CapturedFields,
    partial?: () => CapturedFields,
  ): RecordedCall | Promise<RecordedCall> {
    const start = this.#inherit(fields);
    if (this.failsClosed && this.#sink.closed) {
      return Promise.reject(
        this.#lose(new AuditWriteError("AUDIT_CLOSED", "the logger is closed")),
      );
    }
    if (!this.#options.intent) return this.#track(start, partial);
    return this.#start(start).then((call) => {
      start.call ??= call;
      return this.#track(start, partial);
    });
  }

  /** Records an event that is no call of its own. Resolves and rejects as `RecordedCall.end()`. */
  async record(fields: CapturedFields): Promise<string | undefined> {
    return this.#track(this.#inherit(fields)).end({});
  }

  /** The fields over the audit context in force, over this recorder's own. */
  #inherit(fields: CapturedFields): CallFields {
    const inherited = new CallFields();
    inherited.safetyChecks = []; // a list that stays empty says that nobody looked
    addFields(inherited, this.#own);
    addFields(inherited, currentAuditContext());
    addRead(inherited, fields);
    return inherited;
  }

  #track(fields: CallFields, partial?: () => CapturedFields): RecordedCall {
    this.#open += 1;
    const call = new RecordedCall(this.#layer, fields, this.#writeEnded, partial);
    this.#sink.track(call);
    return call;
  }

  /** Fail-open: undefined instead of a rejection. */
  async #start(fields: CapturedFields): Promise<string | undefined> {
    try {
      return await this.#deadline.limit(this.#sink.started(fields, this.#layer));
    } catch (cause) {
      return this.#miss(cause);
    }
  }

  async #write(
    call: RecordedCall,
    entry: CapturedFields,
    cause: unknown,
  ): Promise<string | undefined> {
    try {
      const id = await this.#deadline.limit(
        this.#sink.capture(entry, { layer: this.#layer, cause }),
      );
      this.#written += 1;
      return id;
    } catch (unwritten) {
      return this.#miss(unwritten);
    } finally {
      this.#open -= 1;
      this.#sink.untrack(call); // not before: a logger that closes waits for entries on their way
    }
  }

  /** What could not be written is told of; the caller is, in fail-closed mode. */
  #miss(cause: unknown): undefined {
    const error = this.#lose(cause);
    if (this.failsClosed) throw error;
  }

  #lose(cause: unknown): AuditWriteError {
    this.#lost += 1;
    const error =
      cause instanceof AuditWriteError
        ? cause
        : new AuditWriteError("AUDIT_WRITE_FAILED", "the call's audit entry could not be written", {
            cause,
          });
    notify("onAuditError", this.#options.onAuditError, error);
    return error;
  }
}

type WriteEnded = (
  call: RecordedCall,
  fields: CapturedFields,
  cause: unknown,
) => Promise<string | undefined>;

/** One call on its way to its one entry. */
export class RecordedCall implements OpenCall {
  readonly layer: CallLayer;
  readonly #write: WriteEnded;
  readonly #startedAt = performance.now();
  #partial: (() => CapturedFields) | undefined;
  /** Until the end: who keeps an ended call keeps nothing of its content. */
  #fields: CallFields | undefined;
  #ended: Promise<string | undefined> | undefined;

  /** For `CallRecorder`. */
  constructor(
    layer: CallLayer,
    fields: CallFields,
    write: WriteEnded,
    partial?: () => CapturedFields,
  ) {
    this.layer = layer;
    this.#fields = fields;
    this.#write = write;
    this.#partial = partial;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Milliseconds since the call began, on the monotonic clock. */
  get elapsedMs(): number {
    return Math.round((performance.now() - this.#startedAt) * 1000) / 1000;
  }

  /** Adds what has become known of the call. */
  add(fields: CapturedFields): void {
    if (this.#fields) addRead(this.#fields, fields);
  }

  /**
   * Ends the call; the first end wins and later ones return its promise. Resolves to the entry's id once it is
   * durable; fail-open: undefined when it could not be written. Fail-closed: rejects with an `AuditWriteError`.
   *
   * @param fields a promise where some of them take a moment to know; the call is over now. Must not reject.
   * @param cause the error that ended the call, as the caller gets it: the other layer may see the same object
   */
  end(
    fields: CapturedFields | Promise<CapturedFields>,
    cause?: unknown,
  ): Promise<string | undefined> {
    this.#ended ??= this.#end(this.elapsedMs, fields, cause);
    return this.#ended;
  }

  #end(
    latencyMs: number,
    fields: CapturedFields | Promise<CapturedFields>,
    cause: unknown,
  ): Promise<string | undefined> {
    if (fields instanceof Promise)
      return fields.then((known) => this.#end(latencyMs, known, cause));
    const entry = this.#fields ?? new CallFields();
    addRead(entry, fields);
    if (entry.latencyMs === undefined) entry.latencyMs = latencyMs;
    this.#fields = this.#partial = undefined;
    return this.#write(this, entry, cause);
  }

  /** Ends the call as one that nobody finishes, with what is known of it. Never rejects. */
  async abandon(): Promise<void> {
    try {
      await this.end({ outcome: "abandoned", ...knownOf(this.#partial) });
    } catch {
      // counted in `lost`, and reported
    }
  }
}

/** Adds what a wrapper says, whose metadata may be the caller's own. */
function addRead(into: CallFields, fields: CapturedFields): void {
  const { metadata } = fields;
  addFields(
    into,
    metadata === undefined ? fields : { ...fields, metadata: membersOf("metadata", metadata) },
  );
}

/** What is known of a call that the closing logger ends; its entry is written in any case. */
function knownOf(partial: (() => CapturedFields) | undefined): CapturedFields {
  try {
    return partial?.() ?? {};
  } catch {
    return { alerts: ["ai-audit: what was known of the call could not be read"] };
  }
}
