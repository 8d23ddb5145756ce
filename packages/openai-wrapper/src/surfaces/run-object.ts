// A run of the Assistants API in any state.
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  defined,
  fieldsOf,
  isFields,
  mergeFields,
  providerErrorFields,
  textOf,
  usageFields,
} from "@ai-audit/core/capture";
import { type ExtractOptions, responseFields } from "@ai-audit/core/sdk";

/** The fields of a run with its known output. */
export function runFields(run: Fields, output: JsonValue, options: ExtractOptions): CapturedFields {
  const { status, last_error: error, incomplete_details: details } = run;
  const threadId = textOf(run["thread_id"]);
  const reason = textOf(fieldsOf(details)["reason"]) ?? textOf(status);
  const { incomplete_details } = run;
  return mergeFields(
    defined({
      responseId: textOf(run["id"]),
      responseModel: textOf(run["model"]),
      finishReasons: reason === undefined ? undefined : [reason],
      run: threadId === undefined ? undefined : { threadId },
      outcome:
        status === "cancelled"
          ? ("aborted" as const)
          : status === "expired"
            ? ("timeout" as const)
            : undefined,
    }),
    usageFields(run["usage"]),
    isFields(error) || status === "failed"
      ? providerErrorFields(error, { codes: options.safetyCodes })
      : {},
    responseFields(output, { body: { incomplete_details } }, options),
  );
}
