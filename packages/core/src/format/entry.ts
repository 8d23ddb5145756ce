// An entry as programs see it. Names are camelCase here and snake_case in the log: `fields.ts` has
// the table of both.
import type { JsonValue } from "./canonical.ts";

/**
 * The ends of a call. `blocked`: a filter, a policy or a detector stopped it. `aborted`: the caller
 * gave up, by a signal or by leaving a stream. `interrupted`: it waits for a person, and is not an
 * error. `abandoned`: it had no end, for example before the logger closed.
 */
export const OUTCOMES = [
  "ok",
  "blocked",
  "error",
  "aborted",
  "timeout",
  "interrupted",
  "abandoned",
] as const;

/** The end of a call. */
export type Outcome = (typeof OUTCOMES)[number];

/** Why a call failed. */
export interface EntryError {
  readonly type: string;
  readonly code?: string;
  /** HTTP status, where there was one. */
  readonly status?: number;
  /**
   * The provider's own words. They may quote the prompt, so a logger keeps them in the entry's
   * `diagnostics`, as content: entries that it reads back have none here, unless an older version
   * wrote them.
   */
  readonly message?: string;
}

/**
 * The provider's own words about a call. They may quote the prompt or the answer, so they are kept
 * as content.
 */
export interface Diagnostics {
  readonly errorMessage?: string;
  readonly blockMessage?: string;
  readonly alerts?: readonly string[];
  /** Raw findings of safety systems. */
  readonly assessments?: JsonValue;
}

/** Kinds of actors. */
export const ACTOR_KINDS = ["user", "agent", "service"] as const;

/** The person or program that made the call. */
export interface Actor {
  /**
   * The caller's own name or number for the actor. It is kept in clear text and may be personal
   * data.
   */
  readonly id: string;
  readonly kind: (typeof ACTOR_KINDS)[number];
  readonly role?: string;
  /** Id of the person or service that the actor acts for. */
  readonly onBehalfOf?: string;
}

/** The host that was called (OpenTelemetry `server.address` and `server.port`). */
export interface Server {
  readonly address: string;
  readonly port?: number;
}

/**
 * The decisions of a person. `answered`: a person's answer that is none of these by itself, as the
 * host passed it on.
 */
export const REVIEW_VERDICTS = [
  "approved",
  "modified",
  "rejected",
  "escalated",
  "answered",
] as const;

/** A person's decision. */
export type ReviewVerdict = (typeof REVIEW_VERDICTS)[number];

/**
 * A person's decision about another entry. Reason, before, after and the content shown are content.
 */
export interface Review {
  /** Id of the entry, run or interrupt that was decided on. */
  readonly of: string;
  readonly verdict: ReviewVerdict;
  /** The role in which the person decided. */
  readonly role?: string;
  /** The hashes of the entry that was decided on, where it is in this log. */
  readonly inputHash?: string;
  readonly outputHash?: string;
  readonly [detail: string]: JsonValue | undefined;
}

/** Tokens beyond input and output. Further figures of a provider may follow. */
export interface Usage {
  readonly cachedInputTokens?: number;
  readonly reasoningOutputTokens?: number;
  /**
   * The source of the figures: the provider, our host's estimate, or the stale usage of a cache
   * hit.
   */
  readonly source?: "reported" | "estimated" | "cached";
  readonly [figure: string]: JsonValue | undefined;
}

/** The place of the call in an application's run. */
export interface Run {
  readonly id?: string;
  /** The run that began this one: an entry's `run.id`, or that of a `run.started` line. */
  readonly parentId?: string;
  /** The outermost run: one id for a whole invocation. */
  readonly rootId?: string;
  readonly name?: string;
  /** For example `agent`, `tool` or `chain`. */
  readonly kind?: string;
  /** Names of the ancestors, outermost first. */
  readonly path?: readonly string[];
  readonly threadId?: string;
  readonly node?: string;
  readonly toolCallId?: string;
  /** Id of the tool call around this call: for example the one that started the agent. */
  readonly calledBy?: string;
  /** Id of another entry that records the same call: this one is left out of counts. */
  readonly sameCallAs?: string;
  readonly [detail: string]: JsonValue | undefined;
}

/** W3C Trace Context ids, lower-case hex. */
export interface Trace {
  readonly traceId: string;
  readonly spanId?: string;
}

/** One recorded interaction, as the log holds it. Absent optional fields are undefined. */
export interface AuditEntry {
  /** UUIDv7; its time is `timestamp`. Entries of the Python original have a UUIDv4. */
  readonly id: string;
  /** Time of the record (the end of the call): RFC 3339 UTC with milliseconds. */
  readonly timestamp: string;
  /** 64 hex digits of SHA-256, or `hmac-sha256:<base64url>`. */
  readonly inputHash: string;
  readonly outputHash: string;
  /** null (hash-only), text, canonical JSON, or JWE. `AuditLogger.content()` reads all of them. */
  readonly inputContent: string | null;
  readonly outputContent: string | null;
  readonly provider: string | null;
  /** The model as requested. */
  readonly model: string | null;
  readonly conversationId: string | null;
  /** false only when a check flagged or blocked something. */
  readonly safetyPassed: boolean;
  readonly detectorsTriggered: readonly string[];
  readonly blockReason: string | null;
  readonly alerts: readonly string[];
  /** Milliseconds; null when unknown. */
  readonly latencyMs: number | null;
  /** null when unknown, never 0 for "unknown". */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly metadata: Readonly<Record<string, JsonValue>>;
  /**
   * OpenTelemetry GenAI operation names where they exist: chat, text_completion, embeddings,
   * execute_tool …
   */
  readonly operation?: string;
  readonly outcome?: Outcome;
  /** The checks that really ran; an empty list means no check. */
  readonly safetyChecks?: readonly string[];
  readonly error?: EntryError;
  readonly responseId?: string;
  /** The model as served. */
  readonly responseModel?: string;
  readonly requestId?: string;
  readonly finishReasons?: readonly string[];
  readonly usage?: Usage;
  readonly timeToFirstTokenMs?: number;
  /** HTTP attempts of this one call. */
  readonly attempts?: number;
  readonly streamed?: boolean;
  /** Allow-listed request parameters under the provider's names. */
  readonly parameters?: Readonly<Record<string, JsonValue>>;
  readonly run?: Run;
  readonly trace?: Trace;
  /** Key id of the data subject, never a name. */
  readonly subject?: string;
  /** Id of this call's `call.started` line. */
  readonly call?: string;
  /** Key id that the keyed hashes were made under; absent with plain SHA-256. */
  readonly kid?: string;
  /** `json` when the content is canonical JSON, absent when it is plain text. */
  readonly inputFormat?: "json";
  readonly outputFormat?: "json";
  readonly actor?: Actor;
  readonly server?: Server;
  readonly review?: Review;
  /** A person should review this. Interrupted calls wait for one without it. */
  readonly reviewRequired?: boolean;
  /**
   * Hash and content of the entry's `Diagnostics` as canonical JSON; the content is absent where
   * only hashes are kept.
   */
  readonly diagnosticsHash?: string;
  readonly diagnosticsContent?: string;
}
