// The error of a failed reading: the system's, in the one error model.
import { AuditError } from "../errors.ts";

/** Rethrows what `read` throws as `AUDIT_READ_FAILED`, with the system's error as its cause. */
export async function reading<T>(what: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    throw asReadError(what, error);
  }
}

/** The same for pages. */
export async function* readingPages<T>(
  what: string,
  pages: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* pages;
  } catch (error) {
    throw asReadError(what, error);
  }
}

function asReadError(what: string, error: unknown): AuditError {
  if (AuditError.isInstance(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AuditError("AUDIT_READ_FAILED", `${what}: ${reason}`, { cause: error });
}

/**
 * The result of a reading, or undefined when it fails. An unreadable file of another writer must
 * not stop this one from logging; the verifier will report the file.
 */
export function orUnreadable<T>(read: Promise<T>): Promise<T | undefined> {
  return read.catch(() => undefined);
}
