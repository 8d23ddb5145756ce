// Token counts of a result: the provider's, else an estimate marked as such, else null.
import {
  type CapturedFields,
  type Fields,
  countOf,
  defined,
  fieldsOf,
  isEmpty,
} from "@ai-audit/core/capture";
import type { StreamedUsage } from "./partial.ts";

/** The sources of a result's token counts. */
export interface UsageSource {
  /**
   * Candidate 0's message. Every candidate carries the same figures of the whole call: they are
   * never summed.
   */
  readonly message: Fields;
  readonly llmOutput: Fields;
  /** The answer came from LangChain's cache. */
  readonly cached: boolean;
  /** Prompts that one legacy `generate()` sent together: its figures are those of the batch. */
  readonly batchSize: number;
  readonly streamed: StreamedUsage;
  readonly vendor: string;
}

/** The usage fields of an entry; null where unknown. */
export function usageOf(source: UsageSource): CapturedFields {
  const { llmOutput, cached, batchSize } = source;
  // The stored answer's cost is not this call's: nothing was sent.
  if (cached) return { inputTokens: 0, outputTokens: 0, usage: { source: "cached" } };
  const reported = reportedBy(source);
  if (reported) return reported;
  const total = figuresOf(fieldsOf(llmOutput["tokenUsage"]));
  if (total && batchSize > 1) {
    return {
      inputTokens: null,
      outputTokens: null,
      usage: {
        ...defined({ batchInputTokens: total.input, batchOutputTokens: total.output }),
        batchSize,
      },
    };
  }
  if (total)
    return {
      inputTokens: total.input ?? null,
      outputTokens: total.output ?? null,
      usage: { source: "reported" },
    };
  const estimate = figuresOf(fieldsOf(llmOutput["estimatedTokenUsage"]));
  if (estimate) {
    return {
      inputTokens: estimate.input ?? null,
      outputTokens: estimate.output ?? null,
      usage: { source: "estimated" },
    };
  }
  return { inputTokens: null, outputTokens: null };
}

function reportedBy({ message, streamed, vendor }: UsageSource): CapturedFields | undefined {
  const usage = fieldsOf(message["usage_metadata"]);
  // Hosts leave a reported 0 out of usage_metadata; the provider's own object still has it. Of a
  // stream LangChain has added up the objects of all pieces: the last one has the figures.
  const raw = streamed.last ?? fieldsOf(fieldsOf(message["response_metadata"])["usage"]);
  const input =
    countOf(usage["input_tokens"]) ?? countOf(raw["prompt_tokens"]) ?? countOf(raw["input_tokens"]);
  const output =
    // LangChain adds the count at Anthropic's start to the one at its end, which includes it.
    (vendor === "anthropic" ? streamed.maxOutputTokens : undefined) ??
    countOf(usage["output_tokens"]) ??
    countOf(raw["completion_tokens"]) ??
    countOf(raw["output_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  const inputDetails = fieldsOf(usage["input_token_details"]);
  const outputDetails = fieldsOf(usage["output_token_details"]);
  const details = defined({
    cachedInputTokens: countOf(inputDetails["cache_read"]),
    cacheCreationInputTokens: countOf(inputDetails["cache_creation"]),
    audioInputTokens: countOf(inputDetails["audio"]),
    reasoningOutputTokens: countOf(outputDetails["reasoning"]),
    audioOutputTokens: countOf(outputDetails["audio"]),
    totalTokens: totalOf(usage, input, output),
  });
  return {
    inputTokens: input ?? null,
    outputTokens: output ?? null,
    usage: { ...details, source: "reported" },
  };
}

/** The total, without the tokens that the host counted twice. */
function totalOf(
  { total_tokens: total, output_tokens: counted }: Fields,
  input: number | undefined,
  output: number | undefined,
): number | undefined {
  const isCorrected = input !== undefined && output !== undefined && output !== countOf(counted);
  return isCorrected && total !== undefined ? input + output : countOf(total);
}

function figuresOf(
  usage: Fields,
): { input: number | undefined; output: number | undefined } | undefined {
  if (isEmpty(usage)) return undefined;
  const input = countOf(usage["promptTokens"]) ?? countOf(usage["input_tokens"]);
  const output = countOf(usage["completionTokens"]) ?? countOf(usage["output_tokens"]);
  return input === undefined && output === undefined ? undefined : { input, output };
}
