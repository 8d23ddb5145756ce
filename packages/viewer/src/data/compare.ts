// Two entries, field by field.
import type { AuditEntry } from "@ai-audit/core";

/** A field of two entries. Null where an entry lacks it. */
export interface ComparedField {
  /** Members of members under `parent.name`. */
  readonly field: string;
  readonly a: string | null;
  readonly b: string | null;
  readonly isEqual: boolean;
}

/** Fields in which any two entries differ. */
const OWN: ReadonlySet<string> = new Set([
  "id",
  "timestamp",
  "inputHash",
  "outputHash",
  "diagnosticsHash",
  "kid",
]);

/** Clear fields: those that differ first, those of each entry alone last. */
export function compareEntries(left: AuditEntry, right: AuditEntry): ComparedField[] {
  const [a, b] = [fieldsOf(left), fieldsOf(right)];
  const fields = [...new Set([...a.keys(), ...b.keys()])].map((field) => ({
    field,
    a: a.get(field) ?? null,
    b: b.get(field) ?? null,
    isEqual: a.get(field) === b.get(field),
  }));
  const rank = ({ field, isEqual }: ComparedField): number =>
    OWN.has(field) ? 2 : Number(isEqual);
  return fields.toSorted((one, other) => rank(one) - rank(other));
}

function fieldsOf(entry: AuditEntry): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(entry)) {
    if (value === null || value === undefined) continue;
    if (typeof value === "object" && !Array.isArray(value))
      for (const [member, inner] of Object.entries(value))
        fields.set(`${name}.${member}`, text(inner));
    else fields.set(name, text(value));
  }
  return fields;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
