// Misspelt options are refused: they must not silently do nothing.

/** Throws when `given` is not an object, or has a member that `known` lacks. `what` begins the message. */
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
