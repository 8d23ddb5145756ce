// Putting an entry's fields together.
import type { CapturedFields, JsonValue } from "@ai-audit/core";
import { classifySafety, type SafetyEvidence } from "../safety/classify.ts";
import { boundInput, boundOutput } from "./content.ts";
import type { ExtractOptions } from "./contract.ts";
import { defined, isFields, textOf } from "../payload/read.ts";

/** One set of fields: later values win, alerts and checks add up, metadata is merged by key, its `safety` also. */
export function mergeFields(...parts: readonly CapturedFields[]): CapturedFields {
  const lists = (name: "alerts" | "safetyChecks" | "detectorsTriggered"): readonly string[] | undefined => {
    const all = new Set(parts.flatMap((part) => part[name] ?? []));
    return all.size > 0 ? [...all] : undefined;
  };
  const metadata: Record<string, unknown> = {};
  for (const part of parts) {
    for (const [key, value] of Object.entries(part.metadata ?? {})) {
      const before = metadata[key];
      // Verdicts of the provider and of detectors stand side by side.
      metadata[key] = key === "safety" && isFields(before) && isFields(value) ? { ...before, ...value } : value;
    }
  }
  return defined({
    ...(Object.assign({}, ...parts.map(defined)) as CapturedFields),
    alerts: lists("alerts"),
    safetyChecks: lists("safetyChecks"),
    detectorsTriggered: lists("detectorsTriggered"),
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
  });
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
