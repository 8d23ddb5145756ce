// What a call waits for at its end: what takes a moment to know of it, and that its entry is durable.
import { AuditWriteError, type CapturedFields, type RecordedCall } from "@ai-audit/core";
import { mergeFields } from "./surfaces/fields.ts";

/** What the caller is refused when the entry cannot be written. */
export interface Held {
  readonly response?: unknown;
  readonly callError?: unknown;
}

/** Fail-closed: what the caller is refused goes with the error. */
export async function holding(written: Promise<unknown>, held: Held): Promise<void> {
  try {
    await written;
  } catch (error) {
    if (!(error instanceof AuditWriteError)) throw error;
    throw new AuditWriteError(error.code, error.message, { cause: error.cause, ...held });
  }
}

/** Ends a call with what takes a moment to know. */
export async function endLater(
  recorded: RecordedCall,
  entry: CapturedFields,
  later: {
    readonly form: Promise<CapturedFields> | undefined;
    readonly known: Promise<string | undefined> | undefined;
    readonly cause: unknown;
  },
): Promise<string | undefined> {
  const [form, sameCallAs] = await Promise.all([later.form, later.known]);
  const run = sameCallAs === undefined ? undefined : { ...entry.run, sameCallAs };
  return recorded.end(mergeFields(entry, form ?? {}, { run }), later.cause);
}
