// Token figures as the provider reports them: never guessed, never summed, absent when absent.
import type { CapturedFields, JsonValue } from "@ai-audit/core/capture";
import { countOf, fieldsOf, isFields } from "../payload/read.ts";

/** Figures that have a field of their own. */
const NAMED: ReadonlySet<string> = new Set([
  "prompt_tokens",
  "completion_tokens",
  "input_tokens",
  "output_tokens",
  "total_tokens",
]);
const NAMED_OF_INPUT: ReadonlySet<string> = new Set(["cached_tokens"]);
const NAMED_OF_OUTPUT: ReadonlySet<string> = new Set(["reasoning_tokens"]);

/** Chat spelling (`prompt_tokens`) and Responses spelling (`input_tokens`) of a `usage` member. */
export function usageFields(usage: unknown): CapturedFields {
  if (!isFields(usage)) return {};
  const input = fieldsOf(
    usage["prompt_tokens_details"] ?? usage["input_tokens_details"] ?? usage["input_token_details"],
  );
  const output = fieldsOf(usage["completion_tokens_details"] ?? usage["output_tokens_details"]);
  const figures: Record<string, JsonValue> = {};
  const cached = countOf(input["cached_tokens"]);
  const reasoning = countOf(output["reasoning_tokens"]);
  if (cached !== undefined) figures["cachedInputTokens"] = cached;
  if (reasoning !== undefined) figures["reasoningOutputTokens"] = reasoning;
  collect(figures, usage, "", NAMED);
  collect(figures, input, "input", NAMED_OF_INPUT);
  collect(figures, output, "output", NAMED_OF_OUTPUT);
  figures["source"] = "reported";
  return {
    inputTokens: countOf(usage["prompt_tokens"] ?? usage["input_tokens"]),
    outputTokens: countOf(usage["completion_tokens"] ?? usage["output_tokens"]),
    usage: figures,
  };
}

/** Further numbers, as `audioTokens` of the input becoming `inputAudioTokens`. */
function collect(
  into: Record<string, JsonValue>,
  figures: Readonly<Record<string, unknown>>,
  prefix: string,
  named: ReadonlySet<string>,
): void {
  for (const name of Object.keys(figures)) {
    const value = figures[name];
    if (typeof value !== "number" || !Number.isFinite(value) || named.has(name)) continue;
    into[camelCase(prefix === "" ? name : `${prefix}_${name}`)] = value;
  }
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
