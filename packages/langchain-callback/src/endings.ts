// The fields that a model's result or error adds to those of its open call.
import {
  type CapturedFields,
  classifySafety,
  fieldsOf,
  isFields,
  listOf,
  NO_FINISH_REASON,
  noAnswerFields,
} from "@ai-audit/core/capture";
import { describeFailure, reportedBy, unfinishedOutcome } from "./failure.ts";
import { answerOf, describeResult } from "./model.ts";
import type { OpenRun } from "./open-run.ts";
import type { Settings } from "./options.ts";
import { partialOf } from "./partial.ts";

/** The fields of a call with a result; `cached` when the result is from LangChain's cache. */
export function resultFields(
  open: OpenRun,
  output: unknown,
  cached: boolean,
  settings: Settings,
): CapturedFields {
  const { partial, vendor, batchSize, signal } = open;
  const streamed = partial.usage;
  const fields = describeResult(output, { vendor, cached, batchSize, streamed, settings });
  const isStream = !cached && (partial.streamed || (partial.begun && isJoined(output)));
  const hasNoReason = isStream && fields.finishReasons === undefined && fields.outcome === "ok";
  return {
    ...(isStream && { streamed: true }),
    ...(isStream && partial.firstMs !== undefined && { timeToFirstTokenMs: partial.firstMs }),
    ...fields,
    ...(hasNoReason && unendedFields(open, fields)),
    // Some hosts return a partial answer as the whole one when the signal fires.
    ...(hasNoReason && signal?.aborted === true && { outcome: unfinishedOutcome(signal) }),
  };
}

/** Only messages that LangChain joined from the pieces of a stream have this member. */
function isJoined(output: unknown): boolean {
  const [generation] = listOf(listOf(fieldsOf(output)["generations"])[0]);
  return "tool_call_chunks" in fieldsOf(fieldsOf(generation)["message"]);
}

/** A stream without a finish reason. It may be whole if its host is not known to give one. */
function unendedFields(
  { givesReasons, vendor, signal }: OpenRun,
  { alerts = [], responseId }: CapturedFields,
): CapturedFields {
  if (signal?.aborted === true) return {};
  if (!givesReasons)
    return { alerts: [...alerts, "ai-audit: the stream ended without a finish reason"] };
  // LangChain drops the last piece of Gemini's streams when it has a reason and no content, and the
  // event that says why a stream of the Responses API failed.
  const isDropped = vendor === "gemini" || responseId?.startsWith("resp_") === true;
  const inferred = isDropped ? classifySafety({ inferred: "possible_block" }) : {};
  return { ...inferred, outcome: "error", error: NO_FINISH_REASON };
}

/** The fields of a call that failed. */
export function failureFields(
  { partial, vendor, signal }: OpenRun,
  error: unknown,
  settings: Settings,
): CapturedFields {
  const answer = partialOf(error);
  const safety = classifySafety(
    { error: reportedBy(error), vendor, answered: partial.firstMs !== undefined },
    settings.safetyCodes,
  );
  return {
    ...partial.fields(),
    ...(isFields(answer) && { output: answerOf(answer, "", settings.inlineBytes) }),
    ...describeFailure(error, signal),
    ...(isNoAnswer(error) ? noAnswerFields(safety) : safety),
  };
}

/** LangChain's error for a stream without any piece; it has no code. */
function isNoAnswer(error: unknown): boolean {
  return fieldsOf(error)["message"] === "Received empty response from chat model call.";
}
