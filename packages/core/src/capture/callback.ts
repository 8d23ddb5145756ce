// Callbacks of the application.

/**
 * As `notify`; without a callback, the error becomes a process warning. For work that no caller
 * awaits.
 */
export function report<E extends Error & { readonly code: string }>(
  name: string,
  callback: ((error: E) => void) | undefined,
  error: E,
): void {
  if (callback) notify(name, callback, error);
  else process.emitWarning(error.message, { type: "AuditWarning", code: error.code });
}

/**
 * Calls one with a value. An error that it throws becomes a process warning
 * (`AUDIT_CALLBACK_THREW`): it must not replace the error that the caller gets.
 *
 * @param name the option's, for the warning
 */
export function notify<T>(
  name: string,
  callback: ((value: T) => void) | undefined,
  value: T,
): void {
  try {
    callback?.(value);
  } catch (thrown) {
    const what = thrown instanceof Error ? thrown.name : typeof thrown;
    process.emitWarning(`${name} threw ${what}`, {
      type: "AuditWarning",
      code: "AUDIT_CALLBACK_THREW",
    });
  }
}
