// Putting an entry's fields together.
import type { JsonValue } from "../../format/canonical.ts";
import { addFields, type CapturedFields, type GrowingFields } from "../fields.ts";
import { boundInput, boundOutput } from "../payload/bounds.ts";
import { type Fields, isEmpty, pick, textOf } from "../payload/read.ts";
import { snapshot } from "../payload/snapshot.ts";
import { type SafetyEvidence, classifySafety } from "../safety/classify.ts";
import { isWord } from "../words.ts";
import type { ExtractOptions } from "./surface.ts";

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

/** Facts of a response about the service that answered. */
export const SERVED_FACTS: readonly string[] = ["system_fingerprint", "service_tier"];

/** Id, served model and facts of a response. */
export function envelopeFields(
  body: Fields,
  served: Fields = wordsAmong(body, SERVED_FACTS),
): CapturedFields {
  return {
    responseId: textOf(body["id"]),
    responseModel: textOf(body["model"]),
    metadata: isEmpty(served) ? undefined : { served: snapshot(served) },
  };
}

/** The named members that are words. Any other text may quote content. */
export function wordsAmong(body: Fields, names: readonly string[]): Fields {
  const served = Object.entries(pick(body, names));
  return Object.fromEntries(
    served.filter(([, value]) => typeof value === "string" && isWord(value)),
  );
}
