// What every wrapper shares: one call, one entry, one terminal outcome, and what happens when it cannot be written.
import { notify } from "./callback.ts";
import { isJsonObject, toJson } from "./canonical.ts";
import { currentAuditContext, mergeContexts, withoutAuditContext } from "./context.ts";
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

/** What a wrapper knows of a call; every field may come at the beginning or at the end. */
export type CapturedFields = Partial<InteractionFields> & {
  readonly metadata?: Metadata | undefined;
};

/** Counts since the recorder was made. */
export interface CaptureStats {
  /** Calls that have begun and not ended. */
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
  readonly #writeTimeoutMs: number;
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
    this.#writeTimeoutMs = writeTimeoutMs;
  }

  get failsClosed(): boolean {
    return this.#options.failureMode !== "open";
  }

  get stats(): CaptureStats {
    return { open: this.#open, written: this.#written, lost: this.#lost };
  }

  /**
   * Begins a call. With `intent`, resolves once its start is durable, and in fail-closed mode rejects with an
   * `AuditWriteError` when it cannot be: then nothing may be sent. Without `intent` it is synchronous. The entry
   * inherits the audit context in force here, wherever the call ends.
   *
   * @param partial what is known of the call when the logger closes under it
   */
  begin(fields: CapturedFields, partial?: () => CapturedFields): RecordedCall | Promise<RecordedCall> {
    const start = inheritContext(fields);
    if (!this.#options.intent) return this.#track(start, partial);
    const { logger, subject } = this.#options;
    return this.#attempt(() => logger.started({ ...start, subject: start.subject ?? subject })).then((call) =>
      this.#track(call === undefined ? start : { ...start, call }, partial),
    );
  }

  /** Records an event that is no call of its own. Resolves and rejects as `RecordedCall.end()`. */
  async record(fields: CapturedFields): Promise<string | undefined> {
    return this.#track(inheritContext(fields)).end({});
  }

  #track(fields: CapturedFields, partial: () => CapturedFields = () => ({})): RecordedCall {
    this.#open += 1;
    const call: RecordedCall = new RecordedCall(fields, async (ended, cause) => {
      this.#open -= 1;
      const { conversationId, subject } = this.#options;
      const entry = {
        ...withoutUndefined({ conversationId, subject }),
        ...withoutUndefined(ended),
        metadata: { ...this.#metadata, ...ended.metadata },
      };
      try {
        const origin = { layer: this.#layer, cause };
        const write = (): Promise<string> => this.#options.logger.capture(entry, origin);
        const id = await this.#attempt(() => withoutAuditContext(write)); // the call's own context is in `entry`
        if (id !== undefined) this.#written += 1;
        return id;
      } finally {
        untrack(); // not before: a logger that closes waits for entries on their way
      }
    });
    const untrack = this.#options.logger.track({
      abandon: async () => {
        try {
          await call.end({ ...knownOf(partial), outcome: "abandoned" });
        } catch {
          // counted in `lost`, and reported
        }
      },
    });
    return call;
  }

  /** Runs a write under the time limit. Fail-open: undefined instead of a rejection. */
  async #attempt(write: () => Promise<string>): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const limit = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new AuditWriteError("AUDIT_WRITE_TIMEOUT", `not durable within ${this.#writeTimeoutMs} ms`));
        }, this.#writeTimeoutMs);
      });
      return await Promise.race([write(), limit]);
    } catch (cause) {
      this.#lost += 1;
      const error =
        cause instanceof AuditWriteError
          ? cause
          : new AuditWriteError("AUDIT_WRITE_FAILED", "the call's audit entry could not be written", { cause });
      notify("onAuditError", this.#options.onAuditError, error);
      if (this.failsClosed) throw error;
      return undefined;
    } finally {
      clearTimeout(timer);
    }
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
   * @param cause the error that ended the call, as the caller gets it: the other layer may see the same object
   */
  end(fields: CapturedFields, cause?: unknown): Promise<string | undefined> {
    this.#ended ??= this.#write(
      {
        latencyMs: this.elapsedMs,
        ...this.#fields,
        ...withoutUndefined(fields),
        metadata: { ...this.#fields.metadata, ...membersOf(fields.metadata) },
        run: notEmpty({ ...this.#fields.run, ...fields.run }),
      },
      cause,
    );
    return this.#ended;
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

function notEmpty<T extends object>(value: T): T | undefined {
  return Object.keys(value).length > 0 ? value : undefined;
}

/** The fields over the audit context in force. */
function inheritContext(fields: CapturedFields): CapturedFields {
  const own = { metadata: membersOf(fields.metadata), run: fields.run };
  const { metadata, run, ...context } = mergeContexts(currentAuditContext(), own);
  return { ...withoutUndefined(context), ...withoutUndefined(fields), metadata, run };
}

/** A snapshot of metadata that can be spread: a getter of the caller's that throws must not fail the caller's call. */
function membersOf(metadata: Metadata | undefined): Metadata {
  if (metadata === undefined) return {};
  const snapshot = toJson(metadata);
  return isJsonObject(snapshot) ? snapshot : { metadata: snapshot };
}

function withoutUndefined(fields: object): CapturedFields {
  const kept: Record<string, unknown> = {}; // a loop: this runs several times a call
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) kept[name] = value;
  return kept;
}
