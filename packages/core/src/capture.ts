// What every wrapper shares: one call, one entry, one terminal outcome, and what happens when it cannot be written.
import { notify } from "./callback.ts";
import { isJsonObject, toJson } from "./canonical.ts";
import { currentAuditContext } from "./context.ts";
import { Deadline } from "./deadline.ts";
import { AuditConfigError, AuditError, AuditWriteError } from "./errors.ts";
import type { InteractionFields, Metadata } from "./interaction.ts";
import type { AuditLogger } from "./logger.ts";
import type { CallLayer } from "./same-call.ts";

/** Options that all wrappers have. */
export interface CaptureOptions {
  readonly logger: AuditLogger;
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

/** What a wrapper knows of a call; every field may come at the beginning or at the end. */
export type CapturedFields = Partial<InteractionFields> & {
  readonly metadata?: Metadata | undefined;
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
  readonly #metadata: Metadata;
  readonly #layer: CallLayer;
  readonly #deadline: Deadline;
  #open = 0;
  #written = 0;
  #lost = 0;

  /**
   * @param layer what the wrapper wraps. One call seen by both layers of one logger is linked and counted once.
   * @throws `AUDIT_CONFIG_INVALID`
   */
  constructor(options: CaptureOptions, layer: CallLayer = "client") {
    const { logger, failureMode = "closed", writeTimeoutMs = 30_000 } = options;
    if (typeof logger?.capture !== "function") throw new AuditConfigError("audit: logger must be an AuditLogger");
    if (failureMode !== "closed" && failureMode !== "open") {
      throw new AuditConfigError(`failureMode must be 'closed' or 'open', not ${JSON.stringify(failureMode)}`);
    }
    if (!(writeTimeoutMs > 0)) throw new AuditConfigError("writeTimeoutMs must be a number > 0");
    this.#options = options;
    this.#metadata = membersOf(options.metadata);
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
  begin(fields: CapturedFields, partial?: () => CapturedFields): RecordedCall | Promise<RecordedCall> {
    const start = this.#inherit(fields);
    if (this.failsClosed && this.#options.logger.closed) {
      return Promise.reject(this.#lose(new AuditWriteError("AUDIT_CLOSED", "the logger is closed")));
    }
    if (!this.#options.intent) return this.#track(start, partial);
    return this.#attempt(() => this.#options.logger.started(start)).then((call) =>
      this.#track(call === undefined ? start : { ...start, call }, partial),
    );
  }

  /** Records an event that is no call of its own. Resolves and rejects as `RecordedCall.end()`. */
  async record(fields: CapturedFields): Promise<string | undefined> {
    return this.#track(this.#inherit(fields)).end({});
  }

  /** The fields over the audit context in force, over this recorder's own. */
  #inherit(fields: CapturedFields): CapturedFields {
    const { conversationId, subject } = this.#options;
    // A list that stays empty says that nobody looked.
    const own = { conversationId, subject, metadata: this.#metadata, safetyChecks: [] };
    return mergeCaptured(own, currentAuditContext(), fields);
  }

  #track(fields: CapturedFields, partial: () => CapturedFields = () => ({})): RecordedCall {
    this.#open += 1;
    const call: RecordedCall = new RecordedCall(fields, (ended, cause) => this.#write(ended, cause, untrack));
    const untrack = this.#options.logger.track({
      abandon: async () => {
        try {
          await call.end({ outcome: "abandoned", ...knownOf(partial) });
        } catch {
          // counted in `lost`, and reported
        }
      },
    });
    return call;
  }

  async #write(entry: CapturedFields, cause: unknown, untrack: () => void): Promise<string | undefined> {
    try {
      const id = await this.#attempt(() => this.#options.logger.capture(entry, { layer: this.#layer, cause }));
      if (id !== undefined) this.#written += 1;
      return id;
    } finally {
      this.#open -= 1;
      untrack(); // not before: a logger that closes waits for entries on their way
    }
  }

  /** Runs a write under the time limit. Fail-open: undefined instead of a rejection. */
  async #attempt(write: () => Promise<string>): Promise<string | undefined> {
    try {
      return await this.#deadline.limit(write());
    } catch (cause) {
      const error = this.#lose(cause);
      if (this.failsClosed) throw error;
      return undefined;
    }
  }

  #lose(cause: unknown): AuditWriteError {
    this.#lost += 1;
    const error =
      cause instanceof AuditWriteError
        ? cause
        : new AuditWriteError("AUDIT_WRITE_FAILED", "the call's audit entry could not be written", { cause });
    notify("onAuditError", this.#options.onAuditError, error);
    return error;
  }
}

type WriteEnded = (fields: CapturedFields, cause: unknown) => Promise<string | undefined>;

/** One call on its way to its one entry. */
export class RecordedCall {
  readonly #fields: CapturedFields;
  readonly #write: WriteEnded;
  readonly #startedAt = performance.now();
  #ended: Promise<string | undefined> | undefined;

  /** For `CallRecorder`. */
  constructor(fields: CapturedFields, write: WriteEnded) {
    this.#fields = fields;
    this.#write = write;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Milliseconds since the call began, on the monotonic clock. */
  get elapsedMs(): number {
    return Math.round((performance.now() - this.#startedAt) * 1000) / 1000;
  }

  /**
   * Ends the call; the first end wins and later ones return its promise. Resolves to the entry's id once it is
   * durable; fail-open: undefined when it could not be written. Fail-closed: rejects with an `AuditWriteError`.
   *
   * @param fields a promise where some of them take a moment to know; the call is over now. Must not reject.
   * @param cause the error that ended the call, as the caller gets it: the other layer may see the same object
   */
  end(fields: CapturedFields | Promise<CapturedFields>, cause?: unknown): Promise<string | undefined> {
    this.#ended ??= this.#end(this.elapsedMs, fields, cause);
    return this.#ended;
  }

  #end(
    latencyMs: number,
    fields: CapturedFields | Promise<CapturedFields>,
    cause: unknown,
  ): Promise<string | undefined> {
    if (fields instanceof Promise) return fields.then((known) => this.#end(latencyMs, known, cause));
    return this.#write(mergeCaptured({ latencyMs }, this.#fields, fields), cause);
  }
}

/** What is known of a call that the closing logger ends; its entry is written in any case. */
function knownOf(partial: () => CapturedFields): CapturedFields {
  try {
    return partial();
  } catch {
    return { alerts: ["ai-audit: what was known of the call could not be read"] };
  }
}

/** What later parts say wins; `metadata` and `run` are merged by key. Plain loops: every call passes here thrice. */
function mergeCaptured(...parts: readonly CapturedFields[]): CapturedFields {
  const merged: Record<string, unknown> = {};
  for (const part of parts) {
    const fields: Readonly<Record<string, unknown>> = part;
    for (const name of Object.keys(fields)) {
      const value = fields[name];
      if (value === undefined) continue;
      if (name === "metadata") merged[name] = over(merged[name], membersOf(value));
      else if (name === "run") merged[name] = over(merged[name], value);
      else merged[name] = value;
    }
  }
  return merged;
}

function over(before: unknown, members: unknown): object {
  return typeof before === "object" ? { ...before, ...Object(members) } : { ...Object(members) };
}

/** A snapshot of metadata that can be spread: a getter of the caller's that throws must not fail the caller's call. */
function membersOf(metadata: unknown): Metadata {
  if (metadata === undefined) return {};
  const snapshot = toJson(metadata);
  return isJsonObject(snapshot) ? snapshot : { metadata: snapshot };
}
