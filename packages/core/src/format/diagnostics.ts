// Diagnostics: the third content of an entry (docs/format.md, section 2). It is always a JSON
// object.
import type { Diagnostics } from "./entry.ts";
import { inSnakeCase } from "./entry-line.ts";
import { isJsonObject, type JsonValue, toJson } from "./canonical.ts";

/** The value that is hashed and kept: member names as the log spells them. */
export function diagnosticsValue(diagnostics: object): JsonValue {
  return toJson(inSnakeCase(diagnostics));
}

/** Reads that value. A member of another kind is left out. */
export function readDiagnostics(value: JsonValue): Diagnostics {
  if (!isJsonObject(value)) return {};
  const { error_message, block_message, alerts, assessments } = value;
  return {
    ...(typeof error_message === "string" && { errorMessage: error_message }),
    ...(typeof block_message === "string" && { blockMessage: block_message }),
    ...(Array.isArray(alerts) && { alerts: alerts.filter((alert) => typeof alert === "string") }),
    ...(assessments !== undefined && { assessments }),
  };
}
