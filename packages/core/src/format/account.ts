// Who did something to the log, and why: it stands there for good, so it must say something.
import { AuditInputError } from "../errors.ts";

/** Who acts and why, for the log itself. */
export interface Account {
  readonly actor: string;
  readonly reason: string;
}

/** Throws `AUDIT_INPUT_INVALID` unless both are texts. */
export function requireAccount(caller: string, account: Account): void {
  for (const field of ["actor", "reason"] as const) {
    if (typeof account?.[field] !== "string" || account[field].trim() === "") {
      throw new AuditInputError(
        `${caller}: ${field} must be a text: it stands in the log for good`,
      );
    }
  }
}
