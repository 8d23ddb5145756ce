// The port between a recorder and the logger that it writes to.
import type { JsonValue } from "../format/canonical.ts";
import type { AuditEntry } from "../format/entry.ts";
import type { CapturedFields } from "./fields.ts";
import type { CallLayer, CaptureOrigin } from "./same-call.ts";

/**
 * Anything that recorders can write to, such as an `AuditLogger`, of this or another copy of the
 * package.
 */
export interface CallLogger {
  readonly callSink: CallSink;
}

/** The facts known when a call begins. */
export interface CallStart {
  readonly provider?: string | null | undefined;
  readonly model?: string | null | undefined;
  readonly operation?: string | undefined;
  readonly input?: unknown;
  /** As for `log()`: erasing the subject also makes the keyed hash of the input unverifiable. */
  readonly subject?: string | undefined;
}

/** A captured call that has not ended yet; closing the logger ends it. */
export interface OpenCall {
  readonly layer: CallLayer;
  /** Writes the entry with outcome `abandoned`. Must not reject. */
  abandon(): Promise<unknown>;
}

/** A request to a person that waits for a decision. */
export interface OpenRequest {
  readonly entry: AuditEntry;
  /** The question to the person; undefined where only its hash was kept, or its key is not here. */
  readonly input: JsonValue | undefined;
}

/** Takes the calls of all wrappers of one logger. */
export interface CallSink {
  /** True once the logger is closed: nothing more is written. */
  readonly closed: boolean;

  /** The logger's own failure mode, which a recorder without one of its own has too. */
  readonly failureMode: "closed" | "open";

  /**
   * Records a call. Fields that do not fit are left out and named in the entry's `alerts`. Resolves
   * to the entry's id once the entry is durable; rejects only when it cannot be written.
   *
   * @param origin given by a recorder whose fields no other code can change and which already
   * inherited the audit
   *   context. When the other layer recorded the same call, the second entry gets the first one's id as
   *   `run.sameCallAs`.
   */
  capture(fields: CapturedFields, origin?: CaptureOrigin): Promise<string>;

  /**
   * Durably records that a call is about to be made (`call.started`). Resolves to the id for the
   * field `call` of the call's entry. A start without such an entry was in flight when the process
   * died.
   *
   * @param layer the wrapper's layer; calls of the other layer that end meanwhile can then be
   * linked to this call
   */
  started(start: CallStart, layer?: CallLayer): Promise<string>;

  /**
   * The undecided requests to people, of the latest invocation of a thread, including those of
   * other processes that write to the same log.
   */
  openRequests(threadId: string): Promise<readonly OpenRequest[]>;

  /** Makes `close()` end this call as abandoned, unless `untrack()` is called first. */
  track(call: OpenCall): void;

  /** Call it when the call's entry is written or lost. */
  untrack(call: OpenCall): void;
}
