// Lists of codes that mean: content was blocked.

/** Codes that providers use. An application may have its own lists. */
export interface SafetyCodes {
  /** Finish reasons, error codes and error types that mean: a filter or a policy stopped this. */
  readonly blocking: readonly string[];
  /**
   * Any other code that this matches is recorded as suspected: the entry is flagged, and its
   * outcome stays. undefined suspects nothing.
   */
  readonly suspected: RegExp | undefined;
}

/** The meaning of a code for safety; undefined if it has none. */
export function judgeCode(code: unknown, codes: SafetyCodes): "block" | "suspect" | undefined {
  if (typeof code !== "string") return undefined;
  if (codes.blocking.includes(code)) return "block";
  return codes.suspected !== undefined && code.length <= 200 && code.search(codes.suspected) >= 0
    ? "suspect"
    : undefined;
}
