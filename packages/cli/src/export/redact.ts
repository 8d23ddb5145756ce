// Leaves members out of exported records.
import { usageFailure } from "../failure.ts";

/** A record as the log spells it. */
export type LogRecord = Readonly<Record<string, unknown>>;

const CENSOR = "[REDACTED]";

/** Members that readers rely on: an entry has no meaning without them. */
const NEEDED: ReadonlySet<string> = new Set(["id", "timestamp"]);

/**
 * A function that replaces the values at these paths, spelled as in the log: `conversation_id`,
 * `metadata.email`. `input`, `output` and `diagnostics` stand for the whole content, with its hash:
 * a short text can be guessed from it.
 *
 * @throws {Failure} for a path that no entry has, or cannot do without
 */
export function redactor(paths: readonly string[]): (record: LogRecord) => LogRecord {
  const steps = paths
    .flatMap((path) => (CONTENTS.has(path) ? contentOf(path) : [path]))
    .map(checked);
  return (record) => steps.reduce(censorAt, record);
}

const CONTENTS: ReadonlySet<string> = new Set(["input", "output", "diagnostics"]);

function contentOf(field: string): string[] {
  return [field, `${field}_content`, `${field}_hash`];
}

function checked(path: string): readonly string[] {
  const steps = path.split(".");
  const [first = ""] = steps;
  if (steps.includes(""))
    throw usageFailure(`--redact ${path} is not a path`, "such as metadata.email");
  if (NEEDED.has(first)) throw usageFailure(`--redact ${path}: every entry needs it`);
  return steps;
}

function censorAt(record: LogRecord, [step = "", ...rest]: readonly string[]): LogRecord {
  const value = record[step];
  if (value === undefined || value === null) return record;
  if (rest.length === 0) return { ...record, [step]: CENSOR };
  return isRecord(value) ? { ...record, [step]: censorAt(value, rest) } : record;
}

function isRecord(value: unknown): value is LogRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
