// Token figures as the provider reports them: never guessed, never summed, absent when absent.
import type { JsonValue } from "../../format/canonical.ts";
import type { CapturedFields } from "../fields.ts";
import { countOf, type Fields, fieldsOf, firstCount, isEmpty, isFields } from "./read.ts";

/** Figures that have a field of their own. */
const NAMED: ReadonlySet<string> = new Set([
  "prompt_tokens",
  "completion_tokens",
  "input_tokens",
  "output_tokens",
  "total_tokens",
  "cache_creation_input_tokens",
  "cache_read_input_tokens",
]);
const NAMED_OF_INPUT: ReadonlySet<string> = new Set(["cached_tokens"]);
const NAMED_OF_OUTPUT: ReadonlySet<string> = new Set(["reasoning_tokens"]);
const NONE: ReadonlySet<string> = new Set();

/**
 * The fields of a `usage` member: OpenAI's chat (`prompt_tokens`) and Responses (`input_tokens`)
 * spelling, Anthropic's, Bedrock's (`inputTokens`) and Gemini's (`promptTokenCount`). Nothing, when
 * no figure is in it.
 */
export function usageFields(usage: unknown): CapturedFields {
  if (!isFields(usage)) return {};
  if ("promptTokenCount" in usage || "totalTokenCount" in usage) return geminiUsage(usage);
  if ("inputTokens" in usage || "outputTokens" in usage) return bedrockUsage(usage);
  const input = fieldsOf(
    usage["prompt_tokens_details"] ?? usage["input_tokens_details"] ?? usage["input_token_details"],
  );
  const output = fieldsOf(
    usage["completion_tokens_details"] ??
      usage["output_tokens_details"] ??
      usage["output_token_details"],
  );
  const created = countOf(usage["cache_creation_input_tokens"]);
  const read = countOf(usage["cache_read_input_tokens"]);
  const figures: Record<string, JsonValue> = {};
  put(figures, "cachedInputTokens", firstCount(input["cached_tokens"], read));
  put(figures, "cacheCreationInputTokens", created);
  put(figures, "reasoningOutputTokens", countOf(output["reasoning_tokens"]));
  collect(figures, usage, "", NAMED);
  for (const [name, more] of Object.entries(usage))
    if (isFields(more) && more !== input && more !== output) collect(figures, more, name, NONE);
  collect(figures, input, "input", NAMED_OF_INPUT);
  collect(figures, output, "output", NAMED_OF_OUTPUT);
  const prompt = countOf(usage["prompt_tokens"]);
  const sent = countOf(usage["input_tokens"]);
  return reported(
    // Anthropic's `input_tokens` exclude its cache. Hosts that say `prompt_tokens` include theirs.
    prompt ?? (sent === undefined ? undefined : sent + (created ?? 0) + (read ?? 0)),
    firstCount(usage["completion_tokens"], usage["output_tokens"]),
    figures,
  );
}

/**
 * https://ai.google.dev/api/generate-content#UsageMetadata: thoughts are not among the candidates.
 */
function geminiUsage(usage: Fields): CapturedFields {
  const answer = countOf(usage["candidatesTokenCount"]);
  const thoughts = countOf(usage["thoughtsTokenCount"]);
  const tools = countOf(usage["toolUsePromptTokenCount"]);
  const prompt = countOf(usage["promptTokenCount"]);
  const figures: Record<string, JsonValue> = {};
  put(figures, "cachedInputTokens", countOf(usage["cachedContentTokenCount"]));
  put(figures, "reasoningOutputTokens", thoughts);
  put(figures, "toolUseInputTokens", tools);
  return reported(
    prompt === undefined ? undefined : prompt + (tools ?? 0),
    answer === undefined && thoughts === undefined ? undefined : (answer ?? 0) + (thoughts ?? 0),
    figures,
  );
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html */
function bedrockUsage(usage: Fields): CapturedFields {
  const read = countOf(usage["cacheReadInputTokens"]);
  const written = countOf(usage["cacheWriteInputTokens"]);
  const input = countOf(usage["inputTokens"]);
  const figures: Record<string, JsonValue> = {};
  put(figures, "cachedInputTokens", read);
  put(figures, "cacheCreationInputTokens", written);
  return reported(
    input === undefined ? undefined : input + (read ?? 0) + (written ?? 0),
    countOf(usage["outputTokens"]),
    figures,
  );
}

function reported(
  inputTokens: number | undefined,
  outputTokens: number | undefined,
  figures: Record<string, JsonValue>,
): CapturedFields {
  if (inputTokens === undefined && outputTokens === undefined && isEmpty(figures)) return {};
  figures["source"] = "reported";
  return { inputTokens, outputTokens, usage: figures };
}

function put(into: Record<string, JsonValue>, name: string, value: number | undefined): void {
  if (value !== undefined) into[name] = value;
}

/** Further numbers: `audioTokens` of the input becomes `inputAudioTokens`. */
function collect(
  into: Record<string, JsonValue>,
  figures: Fields,
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
