// The end of a call waits for fields that take a moment, and for its entry to be durable.
import { AuditWriteError } from "../../errors.ts";
import { type CapturedFields, mergeFields } from "../fields.ts";
import { defined, isEmpty } from "../payload/read.ts";

/** The result that the caller does not get when the entry cannot be written. */
export interface Held {
  readonly response?: unknown;
  readonly callError?: unknown;
}

/** Fail-closed: the error holds the result that the caller is refused. */
export async function holding(written: Promise<unknown>, held: Held): Promise<void> {
  try {
    await written;
  } catch (error) {
    if (!(error instanceof AuditWriteError)) throw error;
    throw new AuditWriteError(error.code, error.message, { cause: error.cause, ...held });
  }
}

/** The fields of an entry with those that take a moment. Does not reject: no part does. */
export async function completed(
  entry: CapturedFields,
  form: Promise<CapturedFields> | undefined,
  links: {
    /** The entry that records the same response. */
    readonly known: Promise<string | undefined> | undefined;
    /** The entry whose tool calls this call answers. */
    readonly asked: Promise<string | undefined> | undefined;
  },
): Promise<CapturedFields> {
  const [formFields, sameCallAs, continues] = await Promise.all([form, links.known, links.asked]);
  const run = defined({ sameCallAs, continues });
  return mergeFields(entry, formFields ?? {}, { run: isEmpty(run) ? undefined : run });
}
