// Readers of unchecked payloads: a member of an unexpected type counts as absent.

/** An object with unchecked members. */
export type Fields = Readonly<Record<string, unknown>>;

const NONE: Fields = Object.freeze({});

/** Whether a value is an object with members by name: neither null nor an array. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object, or an empty one. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : NONE;
}

/** The array, or an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The string, unless it is empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The first value that is a non-empty string. */
export function firstText(...values: readonly unknown[]): string | undefined {
  for (const value of values) if (typeof value === "string" && value !== "") return value;
  return undefined;
}

/** A count: an integer >= 0. */
export function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The first value that is a count. */
export function firstCount(...values: readonly unknown[]): number | undefined {
  for (const value of values) {
    const count = countOf(value);
    if (count !== undefined) return count;
  }
  return undefined;
}

/** Whether a value is empty: null, undefined, "", [] or {}. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** The named members that are neither null nor undefined. */
export function pick(source: Fields, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) {
    const value = source[name];
    if (value !== undefined && value !== null) picked[name] = value;
  }
  return picked;
}

/** The named members that are not empty: not null, undefined, "", [] or {}. */
export function pickStated(source: Fields, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) {
    const value = source[name];
    if (value !== undefined && !isEmpty(value)) picked[name] = value;
  }
  return picked;
}

/** An object whose undefined members are absent. */
export type Defined<T extends object> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The object without the members that are undefined. */
export function defined<T extends object>(fields: T): Defined<T> {
  const kept: Defined<T> = {};
  for (const key in fields) {
    const value = fields[key];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- generics do not narrow
    if (value !== undefined) kept[key] = value as Exclude<T[typeof key], undefined>;
  }
  return kept;
}

/** The kind of an error. Never its message, which may quote content. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/**
 * The unit of a string that is the same unit again and again: hosts join the chunks of a stream and
 * turn `content_filter`, sent twice, into `content_filtercontent_filter`. Units have at least 4
 * characters; any other string is returned as it is.
 */
export function undoubled(text: string): string {
  for (let count = Math.min(MAX_REPEATS, Math.floor(text.length / 4)); count > 1; count -= 1) {
    if (text.length % count !== 0) continue;
    const unit = text.slice(0, text.length / count);
    if (unit.repeat(count) === text) return unit;
  }
  return text;
}

/** More repetitions than this count as a name that happens to repeat. */
const MAX_REPEATS = 8;
