// The fields of an entry, once. The line, the checks of callers' values, SQL columns, CSV and the
// contract of a storage follow from this table. To add a field, add it to `AuditEntry`, here, and
// to the literal of `entryToLine`.
import type { JsonValue } from "./canonical.ts";
import { type AuditEntry, OUTCOMES } from "./entry.ts";

/**
 * Kinds of values. `measure`: a number that may have a fraction. `count`: an integer. `texts`: a
 * list of strings. `json`: the caller's own object, kept unchanged. `members`: an object with
 * member names of this format, in snake_case in the log.
 */
export type FieldKind =
  | "text"
  | "time"
  | "flag"
  | "measure"
  | "count"
  | "texts"
  | "json"
  | "members"
  | "outcome";

/** A field of an entry. */
export interface EntryField {
  /** Its name in programs. */
  readonly field: keyof AuditEntry;
  /** Its name on the line. */
  readonly name: string;
  readonly kind: FieldKind;
  /**
   * Value of the original's 17 fields where a line lacks them; other missing fields stay absent.
   */
  readonly absent: JsonValue | undefined;
  /** Whether `log()` takes it. All other fields are made by the logger. */
  readonly isGiven: boolean;
}

/** Fields that the logger makes. */
type MadeField =
  | "id"
  | "timestamp"
  | "inputHash"
  | "outputHash"
  | "inputContent"
  | "outputContent"
  | "kid"
  | "inputFormat"
  | "outputFormat"
  | "diagnosticsHash"
  | "diagnosticsContent";

/** Fields that `log()` takes. */
export type GivenField = Exclude<keyof AuditEntry, MadeField>;

interface Row<Given extends boolean = boolean> {
  readonly kind: FieldKind;
  readonly absent: JsonValue | undefined;
  readonly isGiven: Given;
}

function given(kind: FieldKind, absent?: JsonValue): Row<true> {
  return { kind, absent, isGiven: true };
}

function made(kind: FieldKind, absent?: JsonValue): Row<false> {
  return { kind, absent, isGiven: false };
}

/** In the order of the line. The first 17 are those of the Python original, in its order. */
const ROWS: { readonly [F in keyof AuditEntry]-?: Row<F extends MadeField ? false : true> } = {
  id: made("text", ""),
  timestamp: made("time", ""),
  inputHash: made("text", ""),
  outputHash: made("text", ""),
  inputContent: made("text", null),
  outputContent: made("text", null),
  provider: given("text", null),
  model: given("text", null),
  conversationId: given("text", null),
  safetyPassed: given("flag", true),
  detectorsTriggered: given("texts", []),
  blockReason: given("text", null),
  alerts: given("texts", []),
  latencyMs: given("measure", null),
  inputTokens: given("count", null),
  outputTokens: given("count", null),
  metadata: given("json", {}),
  operation: given("text"),
  outcome: given("outcome"),
  safetyChecks: given("texts"),
  error: given("members"),
  responseId: given("text"),
  responseModel: given("text"),
  requestId: given("text"),
  finishReasons: given("texts"),
  usage: given("members"),
  timeToFirstTokenMs: given("measure"),
  attempts: given("count"),
  streamed: given("flag"),
  parameters: given("json"),
  run: given("members"),
  trace: given("members"),
  subject: given("text"),
  call: given("text"),
  kid: made("text"),
  inputFormat: made("text"),
  outputFormat: made("text"),
  actor: given("members"),
  server: given("members"),
  review: given("members"),
  reviewRequired: given("flag"),
  diagnosticsHash: made("text"),
  diagnosticsContent: made("text"),
};

/** Every field of an entry, in the order of the line. */
export const ENTRY_FIELDS: readonly EntryField[] = Object.keys(ROWS)
  .filter((field) => isField(field))
  .map((field) => ({ field, name: snakeCase(field), ...ROWS[field] }));

function isField(name: string): name is keyof AuditEntry {
  return Object.hasOwn(ROWS, name);
}

/**
 * The spelling of a member name in the log: `inputHash` is `input_hash`. A name that is not
 * camelCase stays as it is.
 */
export function snakeCase(name: string): string {
  return /^[a-z][A-Za-z0-9]*$/.test(name)
    ? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    : name;
}

/** The spelling of a member name in programs: `input_hash` is `inputHash`. */
export function camelCase(name: string): string {
  return /^[a-z][a-z0-9]*(?:_[a-z][a-z0-9]*)+$/.test(name)
    ? name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    : name;
}

/** Whether a value on a line can be read as one of this kind. */
export function isOfKind(kind: FieldKind, value: unknown): boolean {
  return KINDS[kind].reads(value);
}

/** The type expected of a value given to `log()`; undefined when the value is valid. */
export function misfit(kind: FieldKind, value: unknown): string | undefined {
  const { reads, accepts = reads, wanted } = KINDS[kind];
  return accepts(value) ? undefined : wanted;
}

interface KindChecks {
  /** Readers take any value of the type: a foreign line may hold a negative latency. */
  readonly reads: (value: unknown) => boolean;
  /** Writers are stricter. @default reads */
  readonly accepts?: (value: unknown) => boolean;
  /** For messages, such as `a string`. */
  readonly wanted: string;
}

const isText = (value: unknown): boolean => typeof value === "string";
const isNumber = (value: unknown): boolean => typeof value === "number";
const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const KINDS: { readonly [K in FieldKind]: KindChecks } = {
  text: { reads: isText, wanted: "a string" },
  time: { reads: isText, wanted: "a time" },
  flag: { reads: (value) => typeof value === "boolean", wanted: "a boolean" },
  measure: {
    reads: isNumber,
    accepts: (value) => typeof value === "number" && Number.isFinite(value) && value >= 0,
    wanted: "a finite number >= 0",
  },
  count: {
    reads: isNumber,
    accepts: (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0,
    wanted: "an integer >= 0",
  },
  texts: {
    reads: (value) => Array.isArray(value) && value.every(isText),
    wanted: "an array of strings",
  },
  json: { reads: isObject, wanted: "an object" },
  members: { reads: isObject, wanted: "an object" },
  outcome: {
    reads: isText,
    accepts: (value) => OUTCOMES.some((outcome) => outcome === value),
    wanted: `one of ${OUTCOMES.join(", ")}`,
  },
};
