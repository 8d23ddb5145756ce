// JSON in two steps: `toJson` makes a defined JSON value of any value and never throws;
// `canonicalJson` writes a JSON value in the form of RFC 8785. Over 300 lines: the first step is
// one recursion over every kind of value.
import { createHash } from "node:crypto";
import { types } from "node:util";

/** A JSON value. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * Deeper values become `"[too deep]"`: neither reading nor writing a line may exhaust the stack.
 */
const MAX_DEPTH = 200;

/**
 * Objects and arrays in one value; further ones become `"[too many]"`. A few dozen objects that
 * hold each other twice would fill any memory when expanded.
 */
const MAX_OBJECTS = 1_000_000;

/**
 * Repeated objects are tracked only above this count, and at most this many of them are expanded
 * again.
 */
const MAX_REPEATED = 10_000;

/**
 * Longer arrays may be sparse: `a[4e9] = 1` has one value, and four billion when expanded.
 */
const MAX_FILLED_LENGTH = 65_536;

/** The object that the snapshot is reading, and the objects around it. */
interface Step {
  readonly object: object;
  readonly depth: number;
  readonly up: Step | undefined;
}

/** The place in the value that the snapshot has reached. */
interface Walk {
  /** Innermost. */
  step: Step | undefined;
  readonly replace: Replace | undefined;
  readonly onOpaque: ((kind: OpaqueKind) => void) | undefined;
  objects: number;
  repeated: number;
  seen: Set<object> | undefined;
}

/**
 * Like the replacer of `JSON.stringify`: returns the value to convert instead of a string or an
 * object, possibly the same one. `holder` has it under `key`.
 */
export type Replace = (
  value: string | object,
  key: string | number | undefined,
  holder: object | undefined,
) => unknown;

/**
 * Objects that JSON cannot express: a promise, or another object without members, such as a stream.
 */
export type OpaqueKind = "promise" | "object";

/**
 * A snapshot of any value as JSON. Never throws and never keeps a reference to the value.
 *
 * Text becomes well-formed (a lone surrogate is U+FFFD). `undefined` is left out of objects and is
 * null in arrays. Other values that JSON lacks are replaced: `NaN` and infinities by their name,
 * bigint by its digits, a `Date` by its ISO string, a `Map` by an object, a `Set` by an array, an
 * `Error` by its name and message, bytes by `{ bytes, sha256 }`, functions and symbols by
 * `"[function]"` and `"[symbol]"`, a promise by `"[promise]"`, another object that is not plain and
 * has no members by `"[object]"`, a cycle by `"[circular]"`, a getter that throws by `"[threw]"`, a
 * long array with holes by an object of its members.
 *
 * @param replace is called for every string and object except those that it returned
 * @param onOpaque is called for each promise and each object that became `"[object]"`
 */
export function toJson(
  value: unknown,
  replace?: Replace,
  onOpaque?: (kind: OpaqueKind) => void,
): JsonValue {
  if (!replace && typeof value === "string") return value.toWellFormed(); // most values are strings, which need no walk
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return (
    convert(
      value,
      { step: undefined, replace, onOpaque, objects: 0, repeated: 0, seen: undefined },
      undefined,
    ) ?? null
  );
}

function convert(
  value: unknown,
  walk: Walk,
  key: string | number | undefined,
  holder?: object,
): JsonValue | undefined {
  switch (typeof value) {
    case "string":
      return walk.replace ? convertText(value, walk, key, holder) : value.toWellFormed();
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
      return value;
    case "bigint":
      return value.toString();
    case "function":
    case "symbol":
      return `[${typeof value}]`;
    case "undefined":
      return undefined;
    case "object":
      if (value === null) return null;
  }
  const up = walk.step;
  for (let step = up; step; step = step.up) if (step.object === value) return "[circular]";
  const depth = up ? up.depth + 1 : 1;
  if (depth > MAX_DEPTH) return "[too deep]";
  walk.objects += 1;
  if (walk.objects > MAX_REPEATED && isTooMany(value, walk)) return "[too many]";
  walk.step = { object: value, depth, up };
  try {
    return walk.replace
      ? convertReplaced(value, walk, key, holder)
      : convertObject(value, walk, key);
  } catch {
    return "[threw]"; // a getter, a toJSON or a Proxy trap of the caller's
  } finally {
    walk.step = up;
  }
}

function isTooMany(value: object, walk: Walk): boolean {
  walk.seen ??= new Set();
  if (walk.seen.has(value)) walk.repeated += 1;
  else walk.seen.add(value);
  return walk.objects > MAX_OBJECTS || walk.repeated > MAX_REPEATED;
}

function convertText(
  text: string,
  walk: Walk,
  key: string | number | undefined,
  holder: object | undefined,
): JsonValue | undefined {
  try {
    return convertReplaced(text, walk, key, holder);
  } catch {
    return "[threw]"; // a getter of the holder's, which `replace` looked at
  }
}

function convertReplaced(
  value: string | object,
  walk: Walk,
  key: string | number | undefined,
  holder: object | undefined,
): JsonValue | undefined {
  const replaced = walk.replace?.(value, key, holder);
  if (typeof replaced === "string") return replaced.toWellFormed();
  return typeof replaced === "object" && replaced !== null
    ? convertObject(replaced, walk, key)
    : convert(replaced, walk, key);
}

function convertObject(
  value: object,
  walk: Walk,
  key: string | number | undefined,
): JsonValue | undefined {
  if (Array.isArray(value)) return convertArray(value, walk);
  if (isPlain(value)) return convertMembers(value, walk, {});
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof Uint8Array) return digestOfBytes(value);
  if (value instanceof ArrayBuffer) return digestOfBytes(new Uint8Array(value));
  if (ArrayBuffer.isView(value)) {
    return digestOfBytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  if ("toJSON" in value && typeof value.toJSON === "function") {
    const name = key === undefined ? undefined : String(key);
    const converted: unknown = Reflect.apply(value.toJSON, value, [name]);
    return convert(converted, walk, key);
  }
  if (value instanceof Set) return convertArray([...value], walk);
  if (value instanceof Map) return convertMembers(Object.fromEntries(value), walk, {});
  if (types.isBoxedPrimitive(value)) return convert(value.valueOf(), walk, key);
  if (types.isPromise(value)) return opaque("promise", walk);
  const result: Record<string, JsonValue> = {};
  if (value instanceof Error) {
    for (const name of ["name", "message"] as const)
      put(result, name, convertMember(value, name, walk));
  }
  convertMembers(value, walk, result);
  return Object.keys(result).length === 0 ? opaque("object", walk) : result;
}

function opaque(kind: OpaqueKind, walk: Walk): JsonValue {
  walk.onOpaque?.(kind);
  return `[${kind}]`;
}

/**
 * Tested first: most objects are plain, and the tests for other kinds take longer than all the
 * rest.
 */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !("toJSON" in value);
}

function convertArray(value: readonly unknown[], walk: Walk): JsonValue {
  if (value.length > MAX_FILLED_LENGTH && Object.keys(value).length < value.length) {
    return convertMembers(value, walk, {});
  }
  const items: JsonValue[] = [];
  // A loop, not map: holes are undefined too
  for (let index = 0; index < value.length; index += 1)
    items.push(convertMember(value, index, walk) ?? null);
  return items;
}

function convertMembers(value: object, walk: Walk, into: Record<string, JsonValue>): JsonValue {
  for (const name of Object.keys(value))
    put(into, name.toWellFormed(), convertMember(value, name, walk));
  return into;
}

/** One member: a getter that throws loses that member only. */
function convertMember(holder: object, name: string | number, walk: Walk): JsonValue | undefined {
  let value: unknown;
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any property may be read
    value = (holder as Readonly<Record<string | number, unknown>>)[name];
  } catch {
    return "[threw]";
  }
  return convert(value, walk, name, holder);
}

function put(target: Record<string, JsonValue>, key: string, value: JsonValue | undefined): void {
  if (value === undefined) return;
  if (key === "__proto__") {
    // Plain assignment would set the prototype instead of a member.
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    target[key] = value;
  }
}

function digestOfBytes(bytes: Uint8Array): JsonValue {
  return { bytes: bytes.byteLength, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/**
 * The canonical text of a JSON value: RFC 8785 (JCS). Members are sorted by the UTF-16 code units
 * of their names, numbers and strings are written as ECMAScript writes them, without white space.
 * Expects well-formed text and finite numbers, as `toJson` returns them.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  let text = "";
  if (isArray(value)) {
    for (const item of value) text += text === "" ? canonicalJson(item) : `,${canonicalJson(item)}`;
    return `[${text}]`;
  }
  for (const key of sortedKeys(value)) {
    const member = `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`;
    text += text === "" ? member : `,${member}`;
  }
  return `{${text}}`;
}

/**
 * Insertion is faster than a sort, which copies twice, up to about this many keys; messages and
 * choices have two to five.
 */
const FEW_KEYS = 16;

/** In the order of UTF-16 code units, which is that of `<` and of `sort()`: RFC 8785, 3.2.3. */
function sortedKeys(value: object): readonly string[] {
  const keys = Object.keys(value);
  if (keys.length > FEW_KEYS) return keys.toSorted();
  for (let at = 1; at < keys.length; at += 1) {
    const key = keys[at] ?? "";
    let to = at;
    for (; to > 0 && (keys[to - 1] ?? "") > key; to -= 1) keys[to] = keys[to - 1] ?? "";
    keys[to] = key;
  }
  return keys;
}

/** Whether a JSON value is an object, and neither null nor an array. */
export function isJsonObject(
  value: JsonValue | undefined,
): value is Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `Array.isArray` that also narrows readonly arrays. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
