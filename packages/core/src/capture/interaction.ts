// What callers hand to log(), and how each field is checked.
import { type JsonValue, toJson } from "../format/canonical.ts";
import type { EntryError, Outcome, Run, Trace, Usage } from "../format/entry.ts";
import { AuditInputError } from "../errors.ts";

/** The caller's own data beside a call: members by name. (An `interface` has no index signature, so `object` it is.) */
export type Metadata = object;

/** The fields of an interaction other than `metadata`. */
export interface InteractionFields {
  /** What the model got: text, or any JSON value (a conversation, say). */
  readonly input: unknown;
  /** What the model said. */
  readonly output: unknown;
  readonly provider?: string | null | undefined;
  /** The model as requested. */
  readonly model?: string | null | undefined;
  readonly conversationId?: string | null | undefined;
  /** @default true */
  readonly safetyPassed?: boolean | undefined;
  readonly detectorsTriggered?: readonly string[] | undefined;
  readonly blockReason?: string | null | undefined;
  readonly alerts?: readonly string[] | undefined;
  /** Milliseconds. */
  readonly latencyMs?: number | null | undefined;
  readonly inputTokens?: number | null | undefined;
  readonly outputTokens?: number | null | undefined;
  readonly operation?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly safetyChecks?: readonly string[] | undefined;
  readonly error?: EntryError | undefined;
  readonly responseId?: string | undefined;
  readonly responseModel?: string | undefined;
  readonly requestId?: string | undefined;
  readonly finishReasons?: readonly string[] | undefined;
  readonly usage?: Usage | undefined;
  readonly timeToFirstTokenMs?: number | undefined;
  readonly attempts?: number | undefined;
  readonly streamed?: boolean | undefined;
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  readonly run?: Run | undefined;
  readonly trace?: Trace | undefined;
  /** Whose data this is. The log holds a random key id for it, never this name. */
  readonly subject?: string | undefined;
  /** Id that `logger.started()` returned for this call. */
  readonly call?: string | undefined;
}

/** One call to record. `metadata` is required where the logger's `metadataSchema` requires a key. */
export type Interaction<M extends object = Metadata> = InteractionFields &
  (Partial<M> extends M ? { readonly metadata?: M | undefined } : { readonly metadata: M });

type FieldName = Exclude<keyof InteractionFields, "input" | "output"> | "metadata";

/** What the value should be; undefined when it is that. */
type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === "string" ? undefined : "a string");
const flag: Check = (value) => (typeof value === "boolean" ? undefined : "a boolean");
const measure: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0
    ? undefined
    : "a finite number >= 0";
const tally: Check = (value) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? undefined
    : "an integer >= 0";
const texts: Check = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string")
    ? undefined
    : "an array of strings";
const record: Check = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : "an object";

const OUTCOMES: Record<Outcome, true> = {
  ok: true,
  blocked: true,
  error: true,
  aborted: true,
  timeout: true,
  interrupted: true,
  abandoned: true,
};
const outcome: Check = (value) =>
  typeof value === "string" && Object.hasOwn(OUTCOMES, value)
    ? undefined
    : `one of ${Object.keys(OUTCOMES).join(", ")}`;

/** Every field but input and output, which may be anything. */
const CHECKS: Readonly<Record<FieldName, Check>> = {
  provider: text,
  model: text,
  conversationId: text,
  safetyPassed: flag,
  detectorsTriggered: texts,
  blockReason: text,
  alerts: texts,
  latencyMs: measure,
  inputTokens: tally,
  outputTokens: tally,
  metadata: record,
  operation: text,
  outcome,
  safetyChecks: texts,
  error: record,
  responseId: text,
  responseModel: text,
  requestId: text,
  finishReasons: texts,
  usage: record,
  timeToFirstTokenMs: measure,
  attempts: tally,
  streamed: flag,
  parameters: record,
  run: record,
  trace: record,
  subject: text,
  call: text,
};

/** Fields as JSON; absent where the caller gave null or undefined. */
export type CheckedFields = { readonly [F in FieldName]?: JsonValue };

/**
 * The interaction's fields other than input and output, checked and snapshotted as JSON.
 *
 * `strict` throws `AUDIT_INPUT_INVALID` at the first field that cannot be used, and at unknown fields: a typo
 * must not lose data. `lenient` leaves such a field out and reports it: a captured call always gets its entry.
 *
 * @param fields where the checked fields go. May be the interaction itself, when it belongs to the caller of this.
 */
export function checkFields(
  interaction: object,
  mode: "strict" | "lenient",
  fields: Record<string, JsonValue | undefined> = {},
): { readonly fields: CheckedFields; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const report = (problem: string): void => {
    if (mode === "strict") throw new AuditInputError(`log(): ${problem}`);
    problems.push(problem);
  };
  for (const name of keysOf(interaction, report)) {
    if (name === "input" || name === "output") continue;
    const value = readField(interaction, name);
    if (value === undefined) continue;
    const kept = value === null ? undefined : checkField(name, value, report);
    if (kept !== undefined || fields === interaction) fields[name] = kept;
  }
  return { fields, problems };
}

/** The value as JSON, if it can be used. */
function checkField(
  name: string,
  value: unknown,
  report: (problem: string) => void,
): JsonValue | undefined {
  if (value === THREW) report(`${name} threw when it was read`);
  else if (!isFieldName(name))
    report(`${name} is not a field of an interaction; your own data goes into metadata`);
  else {
    const check = CHECKS[name];
    // The snapshot is checked too: it is what is kept, and a Date or a toJSON() may make it another kind of value.
    const snapshot = toJson(value);
    const wanted = checked(check, value) ?? (snapshot === value ? undefined : check(snapshot));
    if (wanted === undefined) return snapshot;
    report(`${name} must be ${wanted}`);
  }
  return undefined;
}

function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(CHECKS, name);
}

/** Stands for a value whose getter or Proxy trap threw. */
const THREW = Symbol("threw");

function readField(interaction: object, name: string): unknown {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any property may be read
    return (interaction as Readonly<Record<string, unknown>>)[name];
  } catch {
    return THREW;
  }
}

function keysOf(interaction: object, report: (problem: string) => void): readonly string[] {
  try {
    return Object.keys(interaction);
  } catch {
    report("the interaction threw when its fields were listed");
    return [];
  }
}

/** A check of a value that may be a Proxy. */
function checked(check: Check, value: unknown): string | undefined {
  try {
    return check(value);
  } catch {
    return "readable";
  }
}
