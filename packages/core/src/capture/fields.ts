// The fields of a call, merged from its request, its answer and its surroundings.
import { isJsonObject, type JsonValue, toJson } from "../format/canonical.ts";
import type { InteractionFields, Metadata } from "./interaction.ts";
import { listOf } from "./payload/read.ts";

/** The fields that a wrapper knows. Each may come at the beginning or at the end of the call. */
export type CapturedFields = Partial<InteractionFields> & {
  readonly metadata?: Metadata | undefined;
};

/** Fields that more are added to. */
export type GrowingFields = { -readonly [F in keyof CapturedFields]: CapturedFields[F] };

/**
 * All fields by name. `Required` would forbid undefined in programs without
 * `exactOptionalPropertyTypes`.
 */
type EveryField = Readonly<Record<keyof GrowingFields, unknown>>;

/**
 * The fields of one call, as they grow. All properties are declared up front so that V8 keeps one
 * object shape; adding them one by one would change it. Only its call holds it, so a field that
 * does not fit is replaced in place.
 */
export class CallFields implements EveryField {
  readonly #made = true;
  input: CapturedFields["input"];
  output: CapturedFields["output"];
  provider: CapturedFields["provider"];
  model: CapturedFields["model"];
  conversationId: CapturedFields["conversationId"];
  safetyPassed: CapturedFields["safetyPassed"];
  detectorsTriggered: CapturedFields["detectorsTriggered"];
  blockReason: CapturedFields["blockReason"];
  alerts: CapturedFields["alerts"];
  latencyMs: CapturedFields["latencyMs"];
  inputTokens: CapturedFields["inputTokens"];
  outputTokens: CapturedFields["outputTokens"];
  metadata: CapturedFields["metadata"];
  operation: CapturedFields["operation"];
  outcome: CapturedFields["outcome"];
  safetyChecks: CapturedFields["safetyChecks"];
  error: CapturedFields["error"];
  responseId: CapturedFields["responseId"];
  responseModel: CapturedFields["responseModel"];
  requestId: CapturedFields["requestId"];
  finishReasons: CapturedFields["finishReasons"];
  usage: CapturedFields["usage"];
  timeToFirstTokenMs: CapturedFields["timeToFirstTokenMs"];
  attempts: CapturedFields["attempts"];
  streamed: CapturedFields["streamed"];
  parameters: CapturedFields["parameters"];
  run: CapturedFields["run"];
  trace: CapturedFields["trace"];
  subject: CapturedFields["subject"];
  call: CapturedFields["call"];
  actor: CapturedFields["actor"];
  server: CapturedFields["server"];
  review: CapturedFields["review"];
  reviewRequired: CapturedFields["reviewRequired"];
  diagnostics: CapturedFields["diagnostics"];

  /** Asks no Proxy, which might throw. */
  static isInstance(value: object): value is CallFields {
    return #made in value && value.#made;
  }
}

/** All parts in one, as `addFields` puts them together. */
export function mergeFields(...parts: readonly CapturedFields[]): GrowingFields {
  const merged: GrowingFields = {};
  for (const part of parts) addFields(merged, part);
  return merged;
}

/**
 * Adds another part: its values win; alerts, checks and detectors add up; `run`, `diagnostics` and
 * `metadata` are merged by key, and so is the metadata's `safety`. In place, and as a plain loop:
 * every call passes here a few times.
 */
export function addFields(into: GrowingFields, part: CapturedFields): GrowingFields {
  const merged: Record<string, unknown> = into;
  const fields: Readonly<Record<string, unknown>> = part;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (value !== undefined) merged[name] = valueOver(name, merged[name], value);
  }
  return into;
}

function valueOver(name: string, before: unknown, value: unknown): unknown {
  switch (name) {
    case "alerts":
    case "safetyChecks":
    case "detectorsTriggered":
      return listOver(before, value);
    case "run":
    case "diagnostics":
      return membersOver(Object(before), Object(value));
    case "metadata":
      return metadataOver(before, value);
    default:
      return value;
  }
}

function listOver(before: unknown, value: unknown): unknown {
  if (!Array.isArray(value)) return value; // the check of the entry reports the problem
  const [earlier, later] = [listOf(before), listOf(value)];
  if (later.length === 0) return before;
  return earlier.length === 0 ? later : [...new Set([...earlier, ...later])];
}

/** Members of `inner` over those of `outer`: how `metadata` and `run` are merged everywhere. */
export function membersOver<O extends object, I extends object>(
  outer: O | undefined,
  inner: I | undefined,
): O & I;
export function membersOver(outer: object | undefined, inner: object | undefined): object {
  return { ...outer, ...inner };
}

function metadataOver(before: unknown, value: unknown): unknown {
  if (before === undefined || before === null || value === null) return value;
  const [known, found] = [safetyIn(before), safetyIn(value)];
  const merged: object = membersOver(before, Object(value));
  if (!known || !found) return merged;
  // Verdicts of the provider and findings of detectors stand side by side.
  const detectors = [...listOf(known["detectors"]), ...listOf(found["detectors"])];
  return { ...merged, safety: { ...known, ...found, ...(detectors.length > 0 && { detectors }) } };
}

type Members = Readonly<Record<string, JsonValue>>;

function safetyIn(metadata: unknown): Members | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by `membersOf`
  const { safety } = metadata as { readonly safety?: JsonValue };
  return isJsonObject(safety) ? safety : undefined;
}

/**
 * A snapshot of an object of the caller's that can be merged: a getter that throws later, or a
 * change, must not reach the call or its entry. A value that is not an object becomes the only
 * member, `name`.
 */
export function membersOf(name: string, value: unknown): Members | undefined {
  if (value === undefined) return undefined;
  const snapshot = toJson(value);
  return isJsonObject(snapshot) ? snapshot : { [name]: snapshot };
}
