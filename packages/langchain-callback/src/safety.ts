// The safety evidence of model calls: LangChain's results put back into the providers' shapes.
import {
  type CapturedFields,
  type Fields,
  type SafetyCodes,
  classifySafety,
  fieldsOf,
  finishReasonOf,
  isEmpty,
  listOf,
  pickStated,
  textOf,
  undoubled,
} from "@ai-audit/core/capture";

/** One candidate of a result: its message, and LangChain's notes about its generation. */
export interface Candidate {
  readonly message: Fields;
  readonly info: Fields;
  readonly text: string;
}

/** Safety fields of an answer. */
export function answerSafety(
  candidates: readonly Candidate[],
  vendor: string,
  codes: SafetyCodes,
): CapturedFields {
  const answers = candidates.map(({ message, info }) => answerOf(message, info));
  const inferred = candidates.some((candidate) => seemsRefused(candidate));
  const body = answers[0] ?? {};
  const fields = classifySafety({ body, answers, vendor }, codes);
  if (!inferred || fields.safetyPassed === false) return fields;
  return classifySafety({ body, answers, vendor, inferred: "possible_refusal" }, codes);
}

/** The finish reason of a candidate, in the provider's spelling. */
export function finishReasonsOf(message: Fields, info: Fields): string[] {
  const reason = finishReasonOf(answerOf(message, info));
  return reason === undefined ? [] : [undoubled(reason)];
}

/** Members of an answer that providers judge it by. */
const VERDICTS = [
  "stop_reason", "stop_details",
  "finishReason", "safetyRatings", "promptFeedback",
  "content_filter_results", "content_filter_result", "content_filters", "prompt_filter_results",
  "trace", "amazon-bedrock-trace", "amazon-bedrock-guardrailAction",
]; // prettier-ignore

/**
 * An answer in the shape of the wire. Hosts spread the members around it over `response_metadata`,
 * `generationInfo` and, in streams, `additional_kwargs`.
 */
function answerOf(message: Fields, info: Fields): Fields {
  const kwargs = fieldsOf(message["additional_kwargs"]);
  const refusal = refusalIn(message);
  return {
    ...info,
    ...pickStated(kwargs, VERDICTS),
    ...fieldsOf(message["response_metadata"]),
    ...(refusal !== undefined && { message: { refusal } }),
  };
}

function refusalIn(message: Fields): string | undefined {
  const said = textOf(fieldsOf(message["additional_kwargs"])["refusal"]);
  if (said !== undefined) return said;
  const refuses = listOf(message["content"]).some((block) => {
    const { type, value } = fieldsOf(block);
    return type === "refusal" || (type === "non_standard" && fieldsOf(value)["type"] === "refusal");
  });
  return refuses ? "refusal" : undefined;
}

/**
 * LangChain drops the `refusal` of a Chat Completions message. An ordinary end remains with an
 * empty answer, and with output tokens that were paid for, where the host reports them.
 */
function seemsRefused({ message, info, text }: Candidate): boolean {
  const kwargs = fieldsOf(message["additional_kwargs"]);
  const usage = fieldsOf(message["usage_metadata"]);
  const spent = usage["output_tokens"];
  const reasoned = fieldsOf(usage["output_token_details"])["reasoning"];
  return (
    text === "" &&
    (message["content"] === "" || listOf(message["content"]).length === 0) &&
    listOf(message["tool_calls"]).length === 0 &&
    listOf(message["invalid_tool_calls"]).length === 0 &&
    !kwargs["function_call"] &&
    !kwargs["audio"] &&
    finishReasonsOf(message, info).includes("stop") &&
    (isEmpty(usage) ||
      (typeof spent === "number" && spent > (typeof reasoned === "number" ? reasoned : 0)))
  );
}
