// A misspelt option must not be an option that silently does nothing.

/** Throws when `given` is no object, or has a member that `known` does not have. `what` begins the message. */
export function refuseUnknown(
  what: string,
  given: unknown,
  known: Readonly<Record<string, unknown>>,
  Failure: new (message: string) => Error,
): void {
  if (typeof given !== "object" || given === null) throw new Failure(`${what}s must be an object`);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) {
      throw new Failure(
        `${what} ${JSON.stringify(name)} is unknown: there are ${Object.keys(known).join(", ")}`,
      );
    }
  }
}
