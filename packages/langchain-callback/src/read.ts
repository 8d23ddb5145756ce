// Reading values nobody vouches for: messages, results and errors come from many packages and versions.

/** An object whose members are unknown. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether `value` has members to read. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** The value's members; none when it is not an object. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** A text that says something; undefined for everything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The first of several values that is a text. */
export function firstText(...values: readonly unknown[]): string | undefined {
  return values.map(textOf).find((text) => text !== undefined);
}

/** A count: an integer >= 0; undefined for everything else. */
export function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The array's elements; none when it is not an array. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An object whose undefined members are absent. */
export type Defined<T extends object> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The object without its undefined members. */
export function defined<T extends object>(fields: T): Defined<T> {
  const kept: Record<string, unknown> = {}; // a loop: this runs several times a call
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) kept[name] = value;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its undefined members are gone
  return kept as Defined<T>;
}

/** The members of `source` under these names, where they have a value. */
export function pick(source: Fields, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) {
    const value = source[name];
    if (value !== undefined && value !== null) picked[name] = value;
  }
  return picked;
}

/** Whether the object has no member. */
export function isEmpty(fields: object): boolean {
  return Object.keys(fields).length === 0;
}
