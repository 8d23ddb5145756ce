// Reading payloads that may hold anything: a member of another type than expected is as good as absent.

/** A JSON object whose members nobody has looked at yet. */
export type Fields = Readonly<Record<string, unknown>>;

const NONE: Fields = Object.freeze({});

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object, or an empty one. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : NONE;
}

/** The array, or an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** The text, unless it is empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A count: an integer >= 0. */
export function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Null, undefined, "", [] and {} say nothing. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isFields(value) && Object.keys(value).length === 0;
}

/** The named members that say something. */
export function pick(source: Fields, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) {
    const value = source[name];
    if (value !== undefined && !isEmpty(value)) picked[name] = value;
  }
  return picked;
}

/** The object without the members that are undefined. */
export function defined<T extends object>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const key in fields) {
    const value = fields[key];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- generics do not narrow
    if (value !== undefined) kept[key] = value as Exclude<T[typeof key], undefined>;
  }
  return kept;
}

/** What kind of error this is; never its message, which may quote content. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
