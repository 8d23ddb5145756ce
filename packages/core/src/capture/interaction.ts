// Interactions that callers pass to log(), and the check of each field.
import { isJsonObject, type JsonValue, type OpaqueKind, toJson } from "../format/canonical.ts";
import { ACTOR_KINDS, type AuditEntry, type Diagnostics } from "../format/entry.ts";
import { ENTRY_FIELDS, type FieldKind, type GivenField, misfit } from "../format/fields.ts";
import { AuditInputError } from "../errors.ts";
import { isSecretText } from "./payload/secrets.ts";

/**
 * The caller's own data beside a call: members by name. (An `interface` has no index signature, so
 * `object` it is.)
 */
export type Metadata = object;

/** The fields of an interaction other than `metadata`. */
export interface InteractionFields extends GivenFields {
  /** The content sent to the model: text, or any JSON value such as a conversation. */
  readonly input: unknown;
  /** The answer of the model. */
  readonly output: unknown;
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  /**
   * The provider's own words. They may quote the prompt, so they are hashed and encrypted as
   * content is.
   */
  readonly diagnostics?: Diagnostics | undefined;
  /**
   * Name of the person whose data this is. The log holds a random key id for it, never this name.
   */
  readonly subject?: string | undefined;
}

/** Every other field that an entry can be given, as `AuditEntry` has it. */
type GivenFields = {
  readonly [F in keyof Omit<Pick<AuditEntry, GivenField>, "metadata" | "parameters" | "subject">]?:
    | AuditEntry[F]
    | undefined;
};

/**
 * One call to record. `metadata` is required where the logger's `metadataSchema` requires a key.
 */
export type Interaction<M extends object = Metadata> = InteractionFields &
  (Partial<M> extends M ? { readonly metadata?: M | undefined } : { readonly metadata: M });

/** Fields that `log()` takes beside input and output. */
export type FieldName = Exclude<keyof InteractionFields, "input" | "output"> | "metadata";

/** The kind of each field but input and output, which may be anything. */
const KINDS: ReadonlyMap<string, FieldKind> = new Map([
  ...ENTRY_FIELDS.filter(({ isGiven }) => isGiven).map(({ field, kind }) => [field, kind] as const),
  ["diagnostics", "members"],
]);

/** Fields as JSON; absent where the caller gave null or undefined. */
export type CheckedFields = { readonly [F in FieldName]?: JsonValue };

/**
 * The interaction's fields other than input and output, checked and snapshotted as JSON.
 *
 * `strict` throws `AUDIT_INPUT_INVALID` at the first field that cannot be used, and at unknown
 * fields: a typo must not lose data. `lenient` leaves such a field out and reports it: a captured
 * call always gets its entry.
 *
 * @param fields where the checked fields go. May be the interaction itself, when it belongs to the
 * caller of this.
 */
export function checkFields(
  interaction: object,
  mode: "strict" | "lenient",
  fields: Record<string, JsonValue | undefined> = {},
): { readonly fields: CheckedFields; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const report = (problem: string): void => {
    if (mode === "strict") throw new AuditInputError(`log(): ${problem}`);
    problems.push(problem);
  };
  for (const name of keysOf(interaction, report)) {
    if (name === "input" || name === "output") continue;
    const value = readField(interaction, name);
    if (value === undefined) continue;
    const kept = value === null ? undefined : checkField(name, value, report);
    if (kept !== undefined || fields === interaction) fields[name] = kept;
  }
  return { fields, problems };
}

/** The value as JSON, if it can be used. */
function checkField(
  name: string,
  value: unknown,
  report: (problem: string) => void,
): JsonValue | undefined {
  const kind = KINDS.get(name);
  if (value === THREW) report(`${name} threw when it was read`);
  else if (kind === undefined)
    report(`${name} is not a field of an interaction; your own data goes into metadata`);
  else {
    // The snapshot is checked too: it is kept, and a Date or a toJSON() may make it another kind of
    // value.
    const kinds = new Set<OpaqueKind>();
    const snapshot = toJson(value, undefined, (opaque) => kinds.add(opaque));
    for (const opaque of kinds) report(describeOpaque(name, opaque));
    const wanted =
      misfitOf(kind, value) ??
      (snapshot === value ? undefined : misfit(kind, snapshot)) ??
      (name === "actor" ? actorMisfit(snapshot) : undefined);
    if (wanted === undefined) return snapshot;
    report(`${name} must be ${wanted}`);
  }
  return undefined;
}

/** Why a value cannot be recorded, for an error or an alert. */
export function describeOpaque(name: string, kind: OpaqueKind): string {
  return kind === "promise"
    ? `${name} is or holds a promise: write await before it`
    : `${name} is or holds an object without members, such as a stream: it cannot be recorded`;
}

/** The flaw of an actor; undefined when there is none. A log must not hold an actor's keys. */
function actorMisfit(actor: JsonValue): string | undefined {
  const { id, kind, role = "", onBehalfOf = "" } = isJsonObject(actor) ? actor : {};
  const texts = [id, kind, role, onBehalfOf];
  if (!texts.every((text) => typeof text === "string") || id === "")
    return "{ id, kind, role?, onBehalfOf? }, all strings";
  if (!ACTOR_KINDS.some((known) => known === kind))
    return `of a known kind (${ACTOR_KINDS.join(", ")})`;
  if (texts.some((text) => typeof text === "string" && isSecretText(text)))
    return "named by an id, and not by a key or token";
  return undefined;
}

/** Stands for a value whose getter or Proxy trap threw. */
const THREW = Symbol("threw");

function readField(interaction: object, name: string): unknown {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any property may be read
    return (interaction as Readonly<Record<string, unknown>>)[name];
  } catch {
    return THREW;
  }
}

function keysOf(interaction: object, report: (problem: string) => void): readonly string[] {
  try {
    return Object.keys(interaction);
  } catch {
    report("the interaction threw when its fields were listed");
    return [];
  }
}

/** As `misfit`, of a value that may be a Proxy. */
function misfitOf(kind: FieldKind, value: unknown): string | undefined {
  try {
    return misfit(kind, value);
  } catch {
    return "readable";
  }
}
