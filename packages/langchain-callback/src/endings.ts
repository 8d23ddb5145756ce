// The fields that a model's result or error adds to what is known of its open call.
import { type CapturedFields, classifySafety, isFields } from "@ai-audit/core/capture";
import { describeFailure, reportedBy, unfinishedOutcome } from "./failure.ts";
import { answerOf, describeResult } from "./model.ts";
import type { OpenRun } from "./open-run.ts";
import type { Settings } from "./options.ts";
import { partialOf } from "./partial.ts";
import { vendorOf } from "./safety.ts";

/** The fields of a call that LangChain gave a result for; `cached` when it is one of LangChain's cache. */
export function resultFields(
  { partial, provider, batchSize, signal }: OpenRun,
  output: unknown,
  cached: boolean,
  settings: Settings,
): CapturedFields {
  const fields = describeResult(output, { provider, cached, batchSize, settings });
  // Some hosts return what they have when the signal fires, as if it were the whole answer.
  const cutOff = signal?.aborted === true && partial.streamed && fields.finishReasons === undefined;
  return {
    ...(partial.streamed && !cached && { streamed: true }),
    ...(partial.firstMs !== undefined && !cached && { timeToFirstTokenMs: partial.firstMs }),
    ...fields,
    ...(cutOff && { outcome: unfinishedOutcome(signal) }),
  };
}

/** The fields of a call that LangChain gave an error for. */
export function failureFields(
  { partial, provider, signal }: OpenRun,
  error: unknown,
  settings: Settings,
): CapturedFields {
  const answer = partialOf(error);
  return {
    ...partial.fields(),
    ...(isFields(answer) && { output: answerOf(answer, "", settings.inlineBytes) }),
    ...describeFailure(error, signal),
    ...classifySafety(
      {
        error: reportedBy(error),
        vendor: vendorOf(provider),
        answered: partial.firstMs !== undefined,
      },
      settings.safetyCodes,
    ),
  };
}
