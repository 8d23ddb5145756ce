// Putting an entry's fields together.
import type { CapturedFields, JsonValue } from "@ai-audit/core";
import { classifySafety, type SafetyEvidence } from "../safety/classify.ts";
import { boundInput, boundOutput } from "./content.ts";
import type { ExtractOptions } from "./contract.ts";
import { defined, type Fields, fieldsOf, isEmpty, isFields, listOf, textOf } from "../payload/read.ts";

/** Lists that add up. */
const LISTS: ReadonlySet<string> = new Set(["alerts", "safetyChecks", "detectorsTriggered"]);

/**
 * One set of fields: later values win, alerts and checks add up, metadata is merged by key, and so is its `safety`.
 * Plain loops: this runs several times a call.
 */
export function mergeFields(...parts: readonly CapturedFields[]): CapturedFields {
  const merged: Record<string, unknown> = {};
  for (const part of parts) {
    const fields: Fields = part;
    for (const name of Object.keys(fields)) {
      const value = fields[name];
      if (value === undefined) continue;
      if (LISTS.has(name)) mergeList(merged, name, listOf(value));
      else if (name === "metadata" && isFields(value)) mergeMetadata(merged, value);
      else merged[name] = value;
    }
  }
  return merged;
}

function mergeList(merged: Record<string, unknown>, name: string, list: readonly unknown[]): void {
  if (list.length === 0) return;
  const before = listOf(merged[name]);
  merged[name] = before.length === 0 ? list : [...new Set([...before, ...list])];
}

function mergeMetadata(merged: Record<string, unknown>, metadata: Fields): void {
  const before = fieldsOf(merged["metadata"]);
  const [known, found] = [before["safety"], metadata["safety"]];
  if (isFields(known) && isFields(found)) {
    // Verdicts of the provider and findings of detectors stand side by side.
    const detectors = [...listOf(known["detectors"]), ...listOf(found["detectors"])];
    const safety = { ...known, ...found, ...(detectors.length > 0 && { detectors }) };
    merged["metadata"] = { ...before, ...metadata, safety };
  } else if (!isEmpty(metadata)) {
    merged["metadata"] = { ...before, ...metadata };
  }
}

/** The fields that a request gives. */
export function requestFields(
  input: JsonValue,
  about: { readonly model?: unknown; readonly parameters?: Readonly<Record<string, unknown>> },
  options: ExtractOptions,
): CapturedFields {
  const { value, alerts } = boundInput(input, options);
  const { model, parameters = {} } = about;
  return defined({
    input: value,
    model: textOf(model),
    parameters: Object.keys(parameters).length > 0 ? parameters : undefined,
    alerts: alerts.length > 0 ? alerts : undefined,
  });
}

/** The fields that every response gives: its output, and what the classifier finds in it. */
export function responseFields(output: JsonValue, evidence: SafetyEvidence, options: ExtractOptions): CapturedFields {
  const { value, alerts } = boundOutput(output, options);
  return mergeFields({ output: value, alerts }, classifySafety(evidence, options.safetyCodes));
}
