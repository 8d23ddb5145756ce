// AuditEntry, its JSON line and back: the only file that knows both spellings.
// TypeScript speaks camelCase, the log speaks snake_case (docs/format.md, "Lines").
import type { JsonValue } from "./canonical.ts";

/** The terminal state of a call. `blocked`: a filter, a policy or a detector stopped it. */
export type Outcome = "ok" | "blocked" | "error" | "aborted" | "timeout" | "interrupted" | "abandoned";

/** What went wrong, without secrets. */
export interface EntryError {
  readonly type: string;
  readonly code?: string;
  /** HTTP status, where there was one. */
  readonly status?: number;
  readonly message?: string;
}

/** Token figures beyond input and output, in tokens. Further provider figures are kept under their own names. */
export interface Usage {
  readonly cachedInputTokens?: number;
  readonly reasoningOutputTokens?: number;
  /** Where the figures come from: the provider, our host's estimate, or the stale usage of a cache hit. */
  readonly source?: "reported" | "estimated" | "cached";
  readonly [figure: string]: JsonValue | undefined;
}

/** Where in an application's run the call happened. */
export interface Run {
  readonly id?: string;
  readonly parentId?: string;
  /** Names of the ancestors, outermost first. */
  readonly path?: readonly string[];
  readonly threadId?: string;
  readonly node?: string;
  readonly toolCallId?: string;
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
  /** When the entry was recorded (the end of the call): RFC 3339 UTC with milliseconds. */
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
  /** false only when something was flagged or blocked. */
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
  /** OpenTelemetry GenAI operation names where they exist: chat, text_completion, embeddings, execute_tool … */
  readonly operation?: string;
  readonly outcome?: Outcome;
  /** The checks that really ran; an empty list means nobody looked. */
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
}

/** Spelling in the log by spelling in TypeScript, in the order of the line. */
const FIELDS = {
  id: "id",
  timestamp: "timestamp",
  inputHash: "input_hash",
  outputHash: "output_hash",
  inputContent: "input_content",
  outputContent: "output_content",
  provider: "provider",
  model: "model",
  conversationId: "conversation_id",
  safetyPassed: "safety_passed",
  detectorsTriggered: "detectors_triggered",
  blockReason: "block_reason",
  alerts: "alerts",
  latencyMs: "latency_ms",
  inputTokens: "input_tokens",
  outputTokens: "output_tokens",
  metadata: "metadata",
  operation: "operation",
  outcome: "outcome",
  safetyChecks: "safety_checks",
  error: "error",
  responseId: "response_id",
  responseModel: "response_model",
  requestId: "request_id",
  finishReasons: "finish_reasons",
  usage: "usage",
  timeToFirstTokenMs: "time_to_first_token_ms",
  attempts: "attempts",
  streamed: "streamed",
  parameters: "parameters",
  run: "run",
  trace: "trace",
  subject: "subject",
  call: "call",
  kid: "kid",
  inputFormat: "input_format",
  outputFormat: "output_format",
} as const satisfies Record<keyof AuditEntry, string>;

const PAIRS = Object.entries(FIELDS);

/** Objects whose own member names are ours, and so are translated too. The caller's metadata never is. */
const TRANSLATED: ReadonlySet<string> = new Set(["error", "usage", "run", "trace"]);

/** The entry's line, without the line feed. The values are JSON already. */
export function entryToLine(entry: { readonly [F in keyof AuditEntry]?: unknown }): string {
  const line: Record<string, unknown> = {};
  const source: Readonly<Record<string, unknown>> = entry;
  for (const [ours, theirs] of PAIRS) {
    const value = source[ours];
    if (value !== undefined) line[theirs] = TRANSLATED.has(ours) ? renameKeys(value, toSnake) : value;
  }
  return JSON.stringify(line);
}

/**
 * The entry that a line holds; undefined for a control line (one with a `type`) and for what is not an entry.
 * Lines of the Python original are read as they are: fields it lacks are undefined, and its naive timestamps
 * are UTC.
 */
export function lineToEntry(line: string): AuditEntry | undefined {
  if (line.startsWith('{"type":')) return undefined; // what most control lines are; saves parsing
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined; // a torn or foreign line: the verifier reports it
  }
  if (!isEntryRecord(parsed)) return undefined;
  const entry: Record<string, unknown> = {};
  for (const [ours, theirs] of PAIRS) {
    const value = parsed[theirs] ?? DEFAULTS.get(ours);
    if (value !== undefined) entry[ours] = TRANSLATED.has(ours) ? renameKeys(value, toCamel) : value;
  }
  entry["timestamp"] = asUtc(parsed.timestamp);
  return entry as unknown as AuditEntry;
}

/** What a reader may rely on where a foreign line lacks one of the 17 original fields. */
const DEFAULTS: ReadonlyMap<string, unknown> = new Map<keyof AuditEntry, unknown>([
  ["inputHash", ""],
  ["outputHash", ""],
  ["inputContent", null],
  ["outputContent", null],
  ["provider", null],
  ["model", null],
  ["conversationId", null],
  ["safetyPassed", true],
  ["detectorsTriggered", []],
  ["blockReason", null],
  ["alerts", []],
  ["latencyMs", null],
  ["inputTokens", null],
  ["outputTokens", null],
  ["metadata", {}],
]);

interface EntryRecord {
  readonly id: string;
  readonly timestamp: string;
  readonly [field: string]: unknown;
}

function isEntryRecord(value: unknown): value is EntryRecord {
  return (
    typeof value === "object" &&
    value !== null &&
    !("type" in value) &&
    "id" in value &&
    typeof value.id === "string" &&
    "timestamp" in value &&
    typeof value.timestamp === "string"
  );
}

/** `2026-11-23T07:02:20.115437` (the original's utcnow()) means UTC; Date.parse would take it as local time. */
function asUtc(timestamp: string): string {
  return /(?:Z|[+-]\d\d:?\d\d)$/.test(timestamp) ? timestamp : `${timestamp}Z`;
}

/** Whether a line is an entry for a call that another entry records too (`run.same_call_as`). */
export function recordsCallAgain(line: string): boolean {
  // Parsing is left to the few lines that may be meant: the text can stand in a prompt as well.
  return line.includes('"same_call_as":') && lineToEntry(line)?.run?.sameCallAs !== undefined;
}

function renameKeys(value: unknown, rename: (key: string) => string): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [rename(key), member]));
}

function toSnake(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toCamel(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
