// An entry's JSON line and back (docs/format.md, "Lines").
import type { AuditEntry } from "./entry.ts";
import { camelCase, ENTRY_FIELDS, isOfKind, snakeCase } from "./fields.ts";

type EntryFields = { readonly [F in keyof AuditEntry]?: unknown };

/**
 * Every field under its name on the line: a field of `AuditEntry` that the literal lacks is a type
 * error.
 */
type LineFields = { readonly [F in keyof AuditEntry as Snake<F>]-?: unknown };
type Snake<F extends string> = F extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${Snake<Tail>}`
  : "";

/** The contents of an entry as compact JWEs. */
export interface ContentTokens {
  readonly input: string;
  readonly output: string;
}

/**
 * The line of an entry, without the line feed: the 17 fields of the original, and of the other
 * fields those that have a value. The values are JSON already.
 *
 * @param made id, time, hashes, contents, key ids: fields that the logger makes or completes
 * @param given fields as the caller gave them
 * @param tokens the contents, where they are encrypted
 */
export function entryToLine(
  made: EntryFields,
  given: EntryFields = made,
  tokens?: ContentTokens,
): string {
  // A literal, in the order of the table: a loop over the table takes half as long again (5.4
  // against 8.3 us).
  const fields: LineFields = {
    id: made.id,
    timestamp: made.timestamp,
    input_hash: made.inputHash,
    output_hash: made.outputHash,
    input_content: tokens ? undefined : (made.inputContent ?? null),
    output_content: tokens ? undefined : (made.outputContent ?? null),
    provider: given.provider ?? null,
    model: given.model ?? null,
    conversation_id: given.conversationId ?? null,
    safety_passed: given.safetyPassed ?? true,
    detectors_triggered: given.detectorsTriggered ?? [],
    block_reason: made.blockReason ?? null,
    alerts: made.alerts ?? [],
    latency_ms: given.latencyMs ?? null,
    input_tokens: given.inputTokens ?? null,
    output_tokens: given.outputTokens ?? null,
    metadata: given.metadata ?? {},
    operation: given.operation,
    outcome: given.outcome,
    safety_checks: given.safetyChecks,
    error: inSnakeCase(made.error),
    response_id: given.responseId,
    response_model: given.responseModel,
    request_id: given.requestId,
    finish_reasons: given.finishReasons,
    usage: inSnakeCase(given.usage),
    time_to_first_token_ms: given.timeToFirstTokenMs,
    attempts: given.attempts,
    streamed: given.streamed,
    parameters: given.parameters,
    run: inSnakeCase(made.run),
    trace: inSnakeCase(given.trace),
    subject: made.subject,
    call: given.call,
    kid: made.kid,
    input_format: made.inputFormat,
    output_format: made.outputFormat,
    actor: inSnakeCase(given.actor),
    server: inSnakeCase(given.server),
    review: inSnakeCase(given.review),
    review_required: given.reviewRequired,
    diagnostics_hash: made.diagnosticsHash,
    diagnostics_content: made.diagnosticsContent,
  };
  return tokens ? jsonWithTokens(fields, tokens) : JSON.stringify(fields);
}

/**
 * The JSON of an entry with its contents inserted unescaped. A JWE is most of the line and needs no
 * escaping: 1.1 us against 17.7 us for `JSON.stringify` with two contents of 10 KB.
 */
function jsonWithTokens(fields: LineFields, { input, output }: ContentTokens): string {
  const line = JSON.stringify(fields);
  const at = line.indexOf(',"provider":'); // ids and hashes before it hold no quotation mark
  return `${line.slice(0, at)},"input_content":"${input}","output_content":"${output}"${line.slice(at)}`;
}

/**
 * The entry on a line; undefined for a control line (it has a `type`) and for anything else that is
 * not an entry. Lines of the Python original are read unchanged, with UTC for its naive timestamps.
 * A field that a foreign line lacks, or has with a wrong type, is null or empty where `AuditEntry`
 * requires it, otherwise undefined.
 */
export function lineToEntry(line: string): AuditEntry | undefined {
  if (line.startsWith('{"type":')) return undefined; // most control lines: saves parsing
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined; // a torn or foreign line: the verifier reports it
  }
  if (!isEntryRecord(parsed)) return undefined;
  const entry: Record<string, unknown> = {};
  for (const { field, name, kind, absent } of ENTRY_FIELDS) {
    const value = isOfKind(kind, parsed[name]) ? parsed[name] : absent;
    if (value !== undefined) entry[field] = kind === "members" ? inCamelCase(value) : value;
  }
  entry["timestamp"] = asUtc(parsed.timestamp);
  return isComplete(entry) ? entry : undefined;
}

/**
 * True by construction: each field was checked against the table, whose type is made from
 * `AuditEntry`.
 */
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

/**
 * `2026-11-23T07:02:20.115437` (the original's utcnow()) means UTC; Date.parse would take it as
 * local time.
 */
function asUtc(timestamp: string): string {
  return /(?:Z|[+-]\d\d:?\d\d)$/.test(timestamp) ? timestamp : `${timestamp}Z`;
}

/** Whether a line is an entry for a call that another entry records too (`run.same_call_as`). */
export function recordsCallAgain(line: string): boolean {
  // Only lines that hold this text are parsed; it may also stand in a prompt. A search for a string
  // that begins with a quotation mark would stop at each of them.
  return line.includes('_call_as":') && lineToEntry(line)?.run?.sameCallAs !== undefined;
}

/**
 * An object with its own members' names as the log spells them. Anything but an object is returned
 * as it is.
 */
export function inSnakeCase(value: unknown): unknown {
  return renamed(value, knownSnakeCase);
}

/** An object of the log with its own members' names as programs spell them. */
export function inCamelCase(value: unknown): unknown {
  return renamed(value, camelCase);
}

function renamed(value: unknown, rename: (key: string) => string): unknown {
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    // Plain assignment would set the prototype instead of a member.
    if (key === "__proto__")
      Object.defineProperty(result, key, { value: value[key], enumerable: true });
    else result[rename(key)] = value[key];
  }
  return result;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/**
 * Results of `snakeCase`, a pure function: the names of usage figures and run members recur in
 * every entry.
 */
const snakeNames = new Map<string, string>();
const MAX_SNAKE_NAMES = 200;

function knownSnakeCase(key: string): string {
  const known = snakeNames.get(key);
  if (known !== undefined) return known;
  const name = snakeCase(key);
  if (snakeNames.size < MAX_SNAKE_NAMES && key.length < 100) snakeNames.set(key, name);
  return name;
}
