// One call, one entry, one terminal outcome, and the two reactions to an entry that cannot be
// written. Over 300 lines: a recorder and its calls are one state machine.
import { notify } from "./callback.ts";
import { addFields, CallFields, type CapturedFields, membersOf } from "./fields.ts";
import { currentAuditContext, currentRunScope, NO_CONTEXT, runOfEntry } from "./context.ts";
import { Deadline } from "./deadline.ts";
import { AuditConfigError, AuditError, AuditWriteError } from "../errors.ts";
import type { Actor } from "../format/entry.ts";
import type { Metadata } from "./interaction.ts";
import type { CallLogger, CallSink, OpenCall } from "./call-sink.ts";
import {
  anything,
  callback,
  checkValues,
  flag,
  moreThan,
  oneOf,
  type OptionChecks,
} from "../options.ts";
import type { RunScope } from "./run-scope.ts";
import type { CallLayer, CaptureOrigin } from "./same-call.ts";
import { activeTrace } from "./active-trace.ts";
import { elapsedMs } from "../time.ts";
import { withoutProse } from "./words.ts";

/** Options that all wrappers have. */
export interface CaptureOptions {
  readonly logger: CallLogger;
  /**
   * The reaction to an entry that cannot be written: `closed` fails the call with an
   * `AuditWriteError`, `open` leaves the caller's result untouched. @default the logger's
   */
  readonly failureMode?: "closed" | "open" | undefined;
  /** Durably record that a call begins before it is sent. @default false */
  readonly intent?: boolean | undefined;
  /**
   * A write that takes longer counts as failed (`AUDIT_WRITE_TIMEOUT`), in milliseconds.
   * @default 30000
   */
  readonly writeTimeoutMs?: number | undefined;
  /** Called for every entry that could not be written, in both modes. */
  readonly onAuditError?: ((error: AuditError) => void) | undefined;
  /** For every entry of this wrapper. The values of the call and of the context win. */
  readonly conversationId?: string | undefined;
  readonly metadata?: Metadata | undefined;
  readonly subject?: string | undefined;
  readonly actor?: Actor | undefined;
}

/** The checks of these options, for the tables of wrappers. */
export const CAPTURE_OPTIONS: OptionChecks<CaptureOptions> = {
  logger: anything,
  failureMode: oneOf("closed", "open"),
  intent: flag,
  writeTimeoutMs: moreThan(0),
  onAuditError: callback,
  conversationId: anything,
  metadata: anything,
  subject: anything,
  actor: anything,
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
  readonly failsClosed: boolean;
  /** For every entry. */
  readonly #own: CapturedFields;
  readonly #layer: CallLayer;
  readonly #deadline: Deadline;
  readonly #writeEnded: WriteEnded = (call, fields) => this.#write(call, fields);
  #open = 0;
  #written = 0;
  #lost = 0;

  /**
   * @param layer what the wrapper wraps. A call that both layers of a logger see is linked, and
   *   counted once.
   * @throws `AUDIT_CONFIG_INVALID`
   */
  constructor(options: CaptureOptions, layer: CallLayer = "client") {
    const { logger, writeTimeoutMs = 30_000 } = options;
    if (typeof logger?.callSink?.capture !== "function")
      throw new AuditConfigError("audit: logger must be an AuditLogger");
    checkValues("audit", options, CAPTURE_OPTIONS);
    const { failureMode = logger.callSink.failureMode } = options;
    this.#options = options;
    this.#sink = logger.callSink;
    this.failsClosed = failureMode === "closed";
    const { conversationId, subject, actor, metadata } = options;
    this.#own = { conversationId, subject, actor, metadata: membersOf("metadata", metadata) };
    this.#layer = layer;
    const missed = (): AuditError =>
      new AuditWriteError("AUDIT_WRITE_TIMEOUT", `not durable within ${writeTimeoutMs} ms`);
    this.#deadline = new Deadline(writeTimeoutMs, missed);
  }

  get stats(): CaptureStats {
    return { open: this.#open, written: this.#written, lost: this.#lost };
  }

  /**
   * Begins a call. With `intent`, resolves once its start is durable; otherwise synchronous. In
   * fail-closed mode rejects with an `AuditWriteError` when the start cannot be made durable or the
   * logger is closed: then the request must not be sent. The entry inherits the audit context in
   * force here.
   *
   * @param fields kept unchanged until the end: pass a `snapshot()` of an input that the caller can
   * still change
   * @param partial the fields known so far, for a logger that closes under the call. The outcome is
   *   `abandoned` unless they have one.
   * @param within the run that the call is part of @default the one of the audit context
   */
  begin(
    fields: CapturedFields,
    partial?: () => CapturedFields,
    within: RunScope | undefined = currentRunScope(),
  ): RecordedCall | Promise<RecordedCall> {
    const start = this.#inherit(fields);
    if (this.failsClosed && this.#sink.closed) {
      return Promise.reject(
        this.#lose(new AuditWriteError("AUDIT_CLOSED", "the logger is closed")),
      );
    }
    if (!this.#options.intent) return this.#track(start, within, partial);
    return this.#start(start).then((call) => {
      start.call ??= call;
      return this.#track(start, within, partial);
    });
  }

  /** Records an event that is not a call. Resolves and rejects as `RecordedCall.end()`. */
  async record(
    fields: CapturedFields,
    within: RunScope | undefined = currentRunScope(),
  ): Promise<string | undefined> {
    return this.#track(this.#inherit(fields), within).end({});
  }

  /** The fields over the audit context in force, over this recorder's own. */
  #inherit(fields: CapturedFields): CallFields {
    const inherited = new CallFields();
    inherited.safetyChecks = []; // a list that stays empty means that no check ran
    addFields(inherited, this.#own);
    const context = currentAuditContext();
    if (context !== NO_CONTEXT) addFields(inherited, { ...context, run: undefined });
    addRead(inherited, fields);
    inherited.run = runOfEntry(context.run, inherited.run);
    inherited.trace ??= activeTrace();
    return inherited;
  }

  #track(
    fields: CallFields,
    within: RunScope | undefined,
    partial?: () => CapturedFields,
  ): RecordedCall {
    this.#open += 1;
    const call = new RecordedCall(
      { layer: this.#layer, within },
      fields,
      this.#writeEnded,
      partial,
    );
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

  async #write(call: RecordedCall, entry: CapturedFields): Promise<string | undefined> {
    try {
      const id = await this.#deadline.limit(this.#sink.capture(withoutProse(entry), call.origin));
      this.#written += 1;
      return id;
    } catch (unwritten) {
      return this.#miss(unwritten);
    } finally {
      this.#open -= 1;
      this.#sink.untrack(call); // last: a closing logger waits for pending entries
    }
  }

  /** Reports a write that failed. In fail-closed mode the caller gets the error too. */
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

type WriteEnded = (call: RecordedCall, fields: CapturedFields) => Promise<string | undefined>;

/** One call on its way to its one entry. */
export class RecordedCall implements OpenCall {
  readonly origin: CaptureOrigin;
  readonly #write: WriteEnded;
  readonly #startedAt = performance.now();
  #partial: (() => CapturedFields) | undefined;
  /** Undefined after the end: a reference to an ended call then holds no content. */
  #fields: CallFields | undefined;
  #ended: Promise<string | undefined> | undefined;

  /** For `CallRecorder`. */
  constructor(
    origin: CaptureOrigin,
    fields: CallFields,
    write: WriteEnded,
    partial?: () => CapturedFields,
  ) {
    this.origin = origin;
    this.#fields = fields;
    this.#write = write;
    this.#partial = partial;
  }

  get layer(): CallLayer {
    return this.origin.layer;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Milliseconds since the call began, on the monotonic clock. */
  get elapsedMs(): number {
    return elapsedMs(this.#startedAt);
  }

  /** Adds further facts about the call. */
  add(fields: CapturedFields): void {
    if (this.#fields) addRead(this.#fields, fields);
  }

  /**
   * Ends the call. The first end wins; later ones return its promise. Resolves to the entry's id
   * once it is durable. When it cannot be written: fail-open resolves to undefined, fail-closed
   * rejects with an `AuditWriteError`. So await it before an answer is handed out, before the
   * provider's error is rethrown, and before a stream reports its end to its reader. Give every end
   * its `outcome`, `ok` too: there is no default.
   *
   * @param fields a promise if some of them take a moment to compute. The call ends now. Must not
   *   reject.
   */
  end(fields: CapturedFields | Promise<CapturedFields>): Promise<string | undefined> {
    this.#ended ??= this.#end(this.elapsedMs, fields);
    return this.#ended;
  }

  #end(
    latencyMs: number,
    fields: CapturedFields | Promise<CapturedFields>,
  ): Promise<string | undefined> {
    if (fields instanceof Promise) return fields.then((known) => this.#end(latencyMs, known));
    const entry = this.#fields ?? new CallFields();
    addRead(entry, fields);
    if (entry.latencyMs === undefined) entry.latencyMs = latencyMs;
    this.#fields = this.#partial = undefined;
    return this.#write(this, entry);
  }

  /** Ends the call as abandoned, with the fields known so far. Never rejects. */
  async abandon(): Promise<void> {
    try {
      await this.end({ outcome: "abandoned", ...knownOf(this.#partial) });
    } catch {
      // counted in `lost`, and reported
    }
  }
}

/** Adds the fields of a wrapper. Their metadata may be an object of the caller's. */
function addRead(into: CallFields, fields: CapturedFields): void {
  const { metadata } = fields;
  addFields(
    into,
    metadata === undefined ? fields : { ...fields, metadata: membersOf("metadata", metadata) },
  );
}

/** The fields known of a call that a closing logger ends. Its entry is written in any case. */
function knownOf(partial: (() => CapturedFields) | undefined): CapturedFields {
  try {
    return partial?.() ?? {};
  } catch {
    return { alerts: ["ai-audit: the fields known so far could not be read"] };
  }
}
