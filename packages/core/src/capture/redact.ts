// Redaction runs before anything is hashed, encrypted or kept: removed values never reach the log.
import { type JsonValue, toJson } from "../format/canonical.ts";
import { AuditConfigError } from "../errors.ts";
import { anything, callback, optionsOf, text } from "../options.ts";

/** The fields a redaction function sees. */
export type RedactableField =
  | "input"
  | "output"
  | "metadata"
  | "parameters"
  | "error"
  | "blockReason"
  | "alerts"
  | "diagnostics";

/**
 * Returns the value to keep instead of `value`. Synchronous; returning undefined is a mistake, and
 * the value is then dropped.
 */
export type RedactFunction = (field: RedactableField, value: JsonValue) => JsonValue;

/** Redaction before anything is hashed or kept. */
export interface RedactionOptions {
  /**
   * Paths into metadata whose values become the censor text: `user.email`, `headers.*` (any one key
   * or index), `**.ssn` (at any depth).
   */
  readonly paths?: readonly string[] | undefined;
  readonly fn?: RedactFunction | undefined;
  /** @default "[REDACTED]" */
  readonly censor?: string | undefined;
}

/** A function, metadata paths, or both. */
export type Redaction = RedactFunction | RedactionOptions;

/** Decides once, at construction, on the work for each value. Throws `AUDIT_CONFIG_INVALID`. */
export function compileRedaction(
  redaction: Redaction,
): (field: RedactableField, value: JsonValue) => JsonValue {
  const options: RedactionOptions = typeof redaction === "function" ? { fn: redaction } : redaction;
  checkOptions(options);
  const { paths = [], fn, censor = "[REDACTED]" } = options;
  if (!Array.isArray(paths)) throw new AuditConfigError("redact: paths must be an array of paths");
  const patterns = paths.map((path: unknown) => {
    const steps = typeof path === "string" ? path.split(".") : [];
    if (steps.length === 0 || steps.includes("") || steps.at(-1) === "**") {
      throw new AuditConfigError(
        `redact: ${JSON.stringify(path)} is not a path such as user.email, headers.* or **.ssn`,
      );
    }
    return steps;
  });
  return (field, value) => {
    let result = value;
    if (field === "metadata")
      for (const pattern of patterns) result = censorAt(result, pattern, 0, censor);
    return fn ? redacted(fn(field, result)) : result;
  };
}

const checkOptions: (given: unknown) => void = optionsOf<RedactionOptions>("redact", {
  paths: anything,
  fn: callback,
  censor: text,
});

/**
 * A function that forgets its `return`, or is async, has not redacted: the value is dropped then.
 */
function redacted(value: unknown): JsonValue {
  if (value === undefined) throw new TypeError("redact returned nothing");
  if (typeof value === "object" && value !== null && "then" in value)
    throw new TypeError("redact must not be async");
  return toJson(value);
}

/**
 * A copy of `value` in which the members that `pattern` names from step `at` on are the censor
 * text.
 */
function censorAt(
  value: JsonValue,
  pattern: readonly string[],
  at: number,
  censor: string,
): JsonValue {
  const step = pattern[at];
  if (step === undefined) return censor;
  if (typeof value !== "object" || value === null) return value;
  const here = step === "**" ? censorAt(value, pattern, at + 1, censor) : value;
  if (typeof here !== "object" || here === null) return here;
  const member = (key: string, child: JsonValue): JsonValue => {
    if (step === "**") return censorAt(child, pattern, at, censor);
    return step === "*" || step === key ? censorAt(child, pattern, at + 1, censor) : child;
  };
  if (Array.isArray(here))
    return here.map((child: JsonValue, index) => member(String(index), child));
  return Object.fromEntries(Object.entries(here).map(([key, child]) => [key, member(key, child)]));
}
