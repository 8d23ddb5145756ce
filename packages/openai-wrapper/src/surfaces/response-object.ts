// A response object in any state: the body of a call, and of a stream's events.
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  LogprobsDigest,
  fieldsOf,
  isEmpty,
  isFields,
  listOf,
  logprobsMetadata,
  mergeFields,
  providerErrorFields,
  snapshot,
  textOf,
  usageFields,
} from "@ai-audit/core/capture";
import { envelopeFields, type ExtractOptions, responseFields } from "@ai-audit/core/sdk";
import { approvalRequestFields } from "../mcp-approvals.ts";

/** The fields of a response object in any state. */
export function responseObjectFields(body: Fields, options: ExtractOptions): CapturedFields {
  const { status, incomplete_details: details, error, output } = body;
  const { kept, digest } = withoutLogprobs(output, options);
  const reason = textOf(fieldsOf(details)["reason"]) ?? textOf(status);
  return mergeFields(
    envelopeFields(body),
    usageFields(body["usage"]),
    {
      outcome: status === "cancelled" ? "aborted" : undefined,
      finishReasons: reason === undefined ? [] : [reason],
      metadata: logprobsMetadata([digest]),
    },
    status === "failed" || isFields(error)
      ? providerErrorFields(error, { codes: options.safetyCodes })
      : {},
    responseFields(textOfOutput(kept) ?? kept, { body }, options),
    approvalRequestFields(output),
  );
}

/** The text of an output that is one message with one text, and nothing else. */
export function textOfOutput(output: JsonValue): JsonValue | undefined {
  if (!Array.isArray(output)) return undefined;
  const [item, ...others] = output as readonly unknown[];
  if (item === undefined) return "";
  const { type, content } = fieldsOf(item);
  const [part, ...more] = listOf(content);
  const { type: kind, text, ...rest } = fieldsOf(part);
  const alone = type === "message" && kind === "output_text" && others.length + more.length === 0;
  return alone && typeof text === "string" && Object.values(rest).every(isEmpty) ? text : undefined;
}

function withoutLogprobs(
  output: unknown,
  options: ExtractOptions,
): { kept: JsonValue; digest: LogprobsDigest } {
  const digest = new LogprobsDigest();
  const kept = snapshot(output ?? "");
  if (options.captureLogprobs || !Array.isArray(kept)) return { kept, digest };
  const partWithout = (part: JsonValue): JsonValue => {
    if (!isFields(part) || isEmpty(part["logprobs"])) return part;
    const { logprobs, ...rest } = part;
    digest.push(logprobs);
    return rest;
  };
  const items = kept.map((item: JsonValue) => {
    if (!isFields(item) || !Array.isArray(item["content"])) return item;
    const content = (item["content"] as readonly JsonValue[]).map(partWithout);
    return { ...item, content };
  });
  return { kept: items, digest };
}
