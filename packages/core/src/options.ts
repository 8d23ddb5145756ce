// Options objects: their names, a check of each value, and one error for unknown names.
import { AuditConfigError, type AuditError } from "./errors.ts";

/**
 * Checks the value of one option. Returns the requirement (`must be a boolean`), or undefined when
 * the value can be used. An option that is undefined is not checked.
 */
export type OptionCheck = (value: unknown) => string | undefined;

/** One check for each option of `T`. A table that lacks an option does not compile. */
export type OptionChecks<T extends object> = { readonly [Name in keyof T]-?: OptionCheck };

/** For an option whose value is checked where it is used. */
export const anything: OptionCheck = () => undefined;

/** A value that is true or false. */
export const flag: OptionCheck = (value) =>
  typeof value === "boolean" ? undefined : "must be a boolean";

export const text: OptionCheck = (value) =>
  typeof value === "string" ? undefined : "must be a string";

/** A function. */
export const callback: OptionCheck = (value) =>
  typeof value === "function" ? undefined : "must be a function";

/** Infinity passes, NaN does not. */
export function atLeast(least: number): OptionCheck {
  return (value) =>
    typeof value === "number" && value >= least ? undefined : `must be a number >= ${least}`;
}

/** Infinity passes, NaN does not. */
export function moreThan(limit: number): OptionCheck {
  return (value) =>
    typeof value === "number" && value > limit ? undefined : `must be a number > ${limit}`;
}

/** One of these strings. */
export function oneOf(...values: readonly string[]): OptionCheck {
  const quoted = values.map((value) => `'${value}'`);
  const message = `must be ${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
  return (value) => (values.some((known) => known === value) ? undefined : message);
}

/** The name of a member in messages, and the error that they are thrown in. */
export interface OptionKind {
  readonly what: string;
  readonly Failure: new (message: string) => AuditError;
}

const OPTION: OptionKind = { what: "option", Failure: AuditConfigError };

/**
 * Makes the function that checks the options of one class. The function throws for a value that is
 * not an object, for an unknown option, and for a value that its check refuses. A misspelt option
 * would silently do nothing.
 *
 * @param owner the class or function, which begins every message
 * @param kind @default options, refused with `AUDIT_CONFIG_INVALID`
 */
export function optionsOf<T extends object>(
  owner: string,
  checks: OptionChecks<T>,
  { what, Failure }: OptionKind = OPTION,
): (given: unknown) => void {
  const table = new Map<string, OptionCheck>(Object.entries(checks));
  return (given) => {
    if (typeof given !== "object" || given === null)
      throw new Failure(`${owner}: ${what}s must be an object`);
    for (const [name, value] of Object.entries(given)) {
      const check = table.get(name);
      if (!check) throw new Failure(`${owner}: ${what} ${unknownName(name, [...table.keys()])}`);
      const wrong = value === undefined ? undefined : check(value);
      if (wrong !== undefined) throw new Failure(`${owner}: ${name} ${wrong}`);
    }
  };
}

/**
 * Checks the options that `checks` names, among others.
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID`
 */
export function checkValues<T extends object>(
  owner: string,
  given: T,
  checks: OptionChecks<T>,
): void {
  const own = Object.entries<OptionCheck>(checks).map(([name]) => [name, Reflect.get(given, name)]);
  optionsOf<T>(owner, checks)(Object.fromEntries(own));
}

function unknownName(name: string, known: readonly string[]): string {
  const place = PLACES.find(({ names }) => names.includes(name))?.place;
  const hint = place === undefined ? "" : ` here (it belongs to ${place})`;
  return `${JSON.stringify(name)} is unknown${hint}: there are ${known.join(", ")}`;
}

/** Options that are easily given to the wrong object. */
export const PLACES: readonly { readonly place: string; readonly names: readonly string[] }[] = [
  {
    place: "AuditLogger",
    names: [
      "encryption",
      "storeContent",
      "digest",
      "retentionDays",
      "redact",
      "metadataSchema",
      "maxPendingBytes",
      "whenFull",
      "closeOnExit",
      "onError",
    ],
  },
  { place: "AuditLogger or a wrapper", names: ["failureMode"] },
  { place: "a wrapper", names: ["logger", "intent", "onAuditError"] },
  { place: "a storage or a wrapper", names: ["writeTimeoutMs"] },
  { place: "a storage", names: ["signer", "trustedKeys"] },
  { place: "FileStorage", names: ["rotationSizeMb", "durability", "archive"] },
  { place: "S3Archive", names: ["keepLocalDays"] },
  { place: "EncryptionManager", names: ["subjects", "messagesPerKey"] },
];
