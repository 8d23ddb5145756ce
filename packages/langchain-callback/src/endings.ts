// The fields that a model's result or error adds to what is known of its open call.
import { type CapturedFields, classifySafety, isFields } from "@ai-audit/core/capture";
import { describeFailure, reportedBy, unfinishedOutcome } from "./failure.ts";
import { answerOf, describeResult } from "./model.ts";
import type { OpenRun } from "./open-run.ts";
import type { Settings } from "./options.ts";
import { partialOf } from "./partial.ts";
import { vendorOf } from "./safety.ts";

/** The fields of a call with a result; `cached` when the result is from LangChain's cache. */
export function resultFields(
  { partial, provider, batchSize, signal }: OpenRun,
  output: unknown,
  cached: boolean,
  settings: Settings,
): CapturedFields {
  const fields = describeResult(output, { provider, cached, batchSize, settings });
  // Some hosts return a partial answer as the whole one when the signal fires.
  const cutOff = signal?.aborted === true && partial.streamed && fields.finishReasons === undefined;
  return {
    ...(partial.streamed && !cached && { streamed: true }),
    ...(partial.firstMs !== undefined && !cached && { timeToFirstTokenMs: partial.firstMs }),
    ...fields,
    ...(cutOff && { outcome: unfinishedOutcome(signal) }),
  };
}

/** The fields of a call that failed. */
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
