// Putting an entry's fields together.
import {
  type GrowingFields,
  type JsonValue,
  type SafetyEvidence,
  addFields,
  boundInput,
  boundOutput,
  classifySafety,
  isEmpty,
  textOf,
} from "@ai-audit/core/capture";
import type { ExtractOptions } from "./contract.ts";

/** The fields that a request gives. */
export function requestFields(
  input: JsonValue,
  about: { readonly model?: unknown; readonly parameters?: Readonly<Record<string, unknown>> },
  options: ExtractOptions,
): GrowingFields {
  const { value, alerts } = boundInput(input, options);
  const fields: GrowingFields = { input: value };
  const model = textOf(about.model);
  if (model !== undefined) fields.model = model;
  if (!isEmpty(about.parameters)) fields.parameters = about.parameters;
  if (alerts.length > 0) fields.alerts = alerts;
  return fields;
}

/** The fields that every response gives: its output, and what the classifier finds in it. */
export function responseFields(
  output: JsonValue,
  evidence: SafetyEvidence,
  options: ExtractOptions,
): GrowingFields {
  const { value, alerts } = boundOutput(output, options);
  const fields: GrowingFields = { output: value };
  if (alerts.length > 0) fields.alerts = alerts;
  return addFields(fields, classifySafety(evidence, options.safetyCodes));
}
