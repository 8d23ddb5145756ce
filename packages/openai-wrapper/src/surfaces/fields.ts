// Putting an entry's fields together.
import { addFields, type GrowingFields, type JsonValue } from "@ai-audit/core/capture";
import { classifySafety, type SafetyEvidence } from "../safety/classify.ts";
import { boundInput, boundOutput } from "./content.ts";
import type { ExtractOptions } from "./contract.ts";
import { isEmpty, textOf } from "../payload/read.ts";

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
