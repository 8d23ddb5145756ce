// The columns of every engine's table: the fields of an entry.
import { ENTRY_FIELDS, type FieldKind } from "../format/fields.ts";

/** The type of a column. Each engine has its own name for it. */
export type ColumnType = "text" | "timestamp" | "boolean" | "integer" | "number" | "texts" | "json";

/** One column of the table of entries. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/**
 * The type of a column, by the kind of the field. Members of objects differ between entries: they
 * stay JSON text.
 */
const TYPES: { readonly [K in FieldKind]: ColumnType } = {
  text: "text",
  time: "timestamp",
  flag: "boolean",
  measure: "number",
  count: "integer",
  texts: "texts",
  json: "json",
  members: "json",
  outcome: "text",
};

/** The columns of an entry in the order of the line, named as on the line. */
export const COLUMNS: readonly Column[] = ENTRY_FIELDS.map(({ name, kind }) => ({
  name,
  type: TYPES[kind],
}));

/**
 * A pattern that every engine accepts: a timestamp with its offset from UTC. One without an offset
 * is the Python original's and means UTC.
 */
export const ZONED = "(Z|[+-][0-9]{2}:?[0-9]{2})$";

/**
 * Column definitions in one engine's spelling, one a line. `type` is the member of control lines
 * alone.
 */
export function columnLines(types: Readonly<Record<ColumnType, string>>, quote: string): string {
  const lines = COLUMNS.map(({ name, type }) => `  ${quote}${name}${quote} ${types[type]}`);
  return [...lines, `  ${quote}type${quote} ${types.text}`].join(",\n");
}
