// Content as text.
import type { JsonValue } from "../format/canonical.ts";

/** Text as it is, anything else as indented JSON. */
export function textOf(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}
