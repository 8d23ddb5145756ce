// AuditEntry, its JSON line and back: the only file that knows both spellings.
// TypeScript speaks camelCase, the log speaks snake_case (docs/format.md, "Lines").
import type { JsonValue } from "./canonical.ts";

/** The terminal state of a call. `blocked`: a filter, a policy or a detector stopped it. */
export type Outcome =
  | "ok"
  | "blocked"
  | "error"
  | "aborted"
  | "timeout"
  | "interrupted"
  | "abandoned";

/** What went wrong, without secrets. */
export interface EntryError {
  readonly type: string;
  readonly code?: string;
  /** HTTP status, where there was one. */
  readonly status?: number;
  readonly message?: string;
}

/** Token figures beyond input and output, in tokens; further ones in camelCase, which the log writes in snake_case. */
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

type Kind = "text" | "flag" | "number" | "texts" | "object";

/**
 * Every field in the order of the line: its spelling in the log, what kind of value it is, and for the original's 17
 * what it is where a foreign line lacks it or has something else.
 */
const FIELDS: {
  readonly [F in keyof AuditEntry]-?: readonly [name: string, kind: Kind, absent?: JsonValue];
} = {
  id: ["id", "text", ""],
  timestamp: ["timestamp", "text", ""],
  inputHash: ["input_hash", "text", ""],
  outputHash: ["output_hash", "text", ""],
  inputContent: ["input_content", "text", null],
  outputContent: ["output_content", "text", null],
  provider: ["provider", "text", null],
  model: ["model", "text", null],
  conversationId: ["conversation_id", "text", null],
  safetyPassed: ["safety_passed", "flag", true],
  detectorsTriggered: ["detectors_triggered", "texts", []],
  blockReason: ["block_reason", "text", null],
  alerts: ["alerts", "texts", []],
  latencyMs: ["latency_ms", "number", null],
  inputTokens: ["input_tokens", "number", null],
  outputTokens: ["output_tokens", "number", null],
  metadata: ["metadata", "object", {}],
  operation: ["operation", "text"],
  outcome: ["outcome", "text"],
  safetyChecks: ["safety_checks", "texts"],
  error: ["error", "object"],
  responseId: ["response_id", "text"],
  responseModel: ["response_model", "text"],
  requestId: ["request_id", "text"],
  finishReasons: ["finish_reasons", "texts"],
  usage: ["usage", "object"],
  timeToFirstTokenMs: ["time_to_first_token_ms", "number"],
  attempts: ["attempts", "number"],
  streamed: ["streamed", "flag"],
  parameters: ["parameters", "object"],
  run: ["run", "object"],
  trace: ["trace", "object"],
  subject: ["subject", "text"],
  call: ["call", "text"],
  kid: ["kid", "text"],
  inputFormat: ["input_format", "text"],
  outputFormat: ["output_format", "text"],
};

const IS_KIND: { readonly [K in Kind]: (value: unknown) => boolean } = {
  text: (value) => typeof value === "string",
  flag: (value) => typeof value === "boolean",
  number: (value) => typeof value === "number",
  texts: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

const LIST = Object.entries(FIELDS).map(([field, [name, kind, absent]]) => ({
  field,
  name,
  kind,
  absent,
}));

/** Objects whose own member names are ours, and so are translated too. The caller's metadata never is. */
const TRANSLATED: ReadonlySet<string> = new Set(["error", "usage", "run", "trace"]);

type EntryFields = { readonly [F in keyof AuditEntry]?: unknown };

/**
 * The entry's line, without the line feed: the original's 17 fields, and of the others those that are there. The values
 * are JSON already.
 *
 * @param sealed id, time, hashes, contents and whose keys: what is decided when an entry is sealed
 * @param said what the caller said of the call
 * @param tokens the contents as compact JWEs: they are most of the line, and nothing in them needs escaping
 */
export function entryToLine(
  sealed: EntryFields,
  said: EntryFields = sealed,
  tokens?: { readonly input: string; readonly output: string },
): string {
  // All fields at once, by name and in the order of `FIELDS`: a third of the time that a loop over them takes.
  const line = JSON.stringify({
    id: sealed.id,
    timestamp: sealed.timestamp,
    input_hash: sealed.inputHash,
    output_hash: sealed.outputHash,
    input_content: tokens ? undefined : (sealed.inputContent ?? null),
    output_content: tokens ? undefined : (sealed.outputContent ?? null),
    provider: said.provider ?? null,
    model: said.model ?? null,
    conversation_id: said.conversationId ?? null,
    safety_passed: said.safetyPassed ?? true,
    detectors_triggered: said.detectorsTriggered ?? [],
    block_reason: said.blockReason ?? null,
    alerts: sealed.alerts ?? [],
    latency_ms: said.latencyMs ?? null,
    input_tokens: said.inputTokens ?? null,
    output_tokens: said.outputTokens ?? null,
    metadata: said.metadata ?? {},
    operation: said.operation,
    outcome: said.outcome,
    safety_checks: said.safetyChecks,
    error: renameKeys(said.error, toSnake),
    response_id: said.responseId,
    response_model: said.responseModel,
    request_id: said.requestId,
    finish_reasons: said.finishReasons,
    usage: renameKeys(said.usage, toSnake),
    time_to_first_token_ms: said.timeToFirstTokenMs,
    attempts: said.attempts,
    streamed: said.streamed,
    parameters: said.parameters,
    run: renameKeys(sealed.run, toSnake),
    trace: renameKeys(said.trace, toSnake),
    subject: sealed.subject,
    call: said.call,
    kid: sealed.kid,
    input_format: sealed.inputFormat,
    output_format: sealed.outputFormat,
  });
  if (!tokens) return line;
  const { input, output } = tokens;
  const at = line.indexOf(',"provider":'); // ids and hashes before it hold no quotation mark
  return `${line.slice(0, at)},"input_content":"${input}","output_content":"${output}"${line.slice(at)}`;
}

/**
 * The entry that a line holds; undefined for a control line (one with a `type`) and for what is not an entry.
 * Lines of the Python original are read as they are, with UTC for its naive timestamps. What a foreign line lacks, or
 * has as another kind of value, is null or empty where the field must be there, and undefined elsewhere.
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
  for (const { field, name, kind, absent } of LIST) {
    const value = IS_KIND[kind](parsed[name]) ? parsed[name] : absent;
    if (value !== undefined)
      entry[field] = TRANSLATED.has(field) ? renameKeys(value, toCamel) : value;
  }
  entry["timestamp"] = asUtc(parsed.timestamp);
  return isComplete(entry) ? entry : undefined;
}

/** True by construction: each field was checked against `FIELDS`, whose type is made from `AuditEntry`. */
function isComplete(entry: object): entry is AuditEntry {
  return "metadata" in entry;
}

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
  // Parsing is left to the few lines that may be meant: the text can stand in a prompt as well. Searching for what begins
  // with a quotation mark would stop at each.
  return line.includes('_call_as":') && lineToEntry(line)?.run?.sameCallAs !== undefined;
}

function renameKeys(value: unknown, rename: (key: string) => string): unknown {
  if (!isRecord(value)) return value;
  const renamed: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    // Plain assignment would set the prototype instead of a member.
    if (key === "__proto__")
      Object.defineProperty(renamed, key, { value: value[key], enumerable: true });
    else renamed[rename(key)] = value[key];
  }
  return renamed;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** The names that recur: figures of usage, the members of a run. */
const snakeNames = new Map<string, string>();
const MAX_SNAKE_NAMES = 200;

function toSnake(key: string): string {
  const known = snakeNames.get(key);
  if (known !== undefined) return known;
  const name = /^[a-z][A-Za-z0-9]*$/.test(key)
    ? key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    : key;
  if (snakeNames.size < MAX_SNAKE_NAMES && key.length < 100) snakeNames.set(key, name);
  return name;
}

function toCamel(key: string): string {
  return /^[a-z][a-z0-9]*(?:_[a-z][a-z0-9]*)+$/.test(key)
    ? key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    : key;
}
