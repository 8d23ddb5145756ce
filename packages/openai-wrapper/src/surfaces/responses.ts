// responses: POST /responses, GET /responses/{id}, POST /responses/{id}/cancel, POST /responses/compact
import type { CapturedFields, JsonValue } from "@ai-audit/core";
import { envelopeFields } from "./chat.ts";
import { snapshot } from "./content.ts";
import type { ExtractOptions, Fields, SurfaceDefinition, WireRequest } from "./contract.ts";
import { providerErrorFields } from "./errors.ts";
import { mergeFields, requestFields, responseFields } from "./fields.ts";
import { LogprobsDigest, logprobsMetadata } from "./logprobs.ts";
import { parametersOf } from "./parameters.ts";
import { fieldsOf, isEmpty, isFields, listOf, pick, textOf } from "./read.ts";
import { ResponsesCollector } from "./responses-stream.ts";
import { withoutToolSecrets } from "./tool-secrets.ts";
import { usageFields } from "./usage.ts";

/** What the model sees besides the input. */
const SEEN = ["instructions", "tools", "prompt"];

export const responses: SurfaceDefinition = {
  operation: "responses",
  request: (body, options) =>
    requestFields(responsesInput(body), { model: body["model"], parameters: parametersOf(body) }, options),
  response: (body, options) => responseObjectFields(fieldsOf(body), options),
  stream: (options) => new ResponsesCollector(options),
};

/** A stored response fetched later: the outcome of one that was created in the background. */
export const retrieval: SurfaceDefinition = {
  ...responses,
  operation: "responses.retrieve",
  request: (_body, options, request) => idFields(request, options),
};

export const cancellation: SurfaceDefinition = { ...retrieval, operation: "responses.cancel" };

export const compaction: SurfaceDefinition = { ...responses, operation: "responses.compact" };

function responsesInput(body: Fields): JsonValue {
  const { format } = fieldsOf(body["text"]);
  const seen = { ...pick(body, SEEN), ...(isFields(format) && format["type"] !== "text" && { text: { format } }) };
  const { input } = body;
  if (!isEmpty(seen)) return withoutToolSecrets(snapshot({ input, ...seen }));
  const [item, ...more] = listOf(input);
  const { role, content, type, ...rest } = fieldsOf(item);
  const alone = more.length === 0 && role === "user" && (type === undefined || type === "message") && isEmpty(rest);
  return alone && typeof content === "string" ? snapshot(content) : snapshot(input ?? "");
}

/** Requests about a known response have nothing to say but which one. */
function idFields(request: WireRequest, options: ExtractOptions): CapturedFields {
  const id = /\/responses\/([^/?]+)/.exec(request.path)?.[1];
  return id === undefined ? { input: "" } : { ...requestFields({ response_id: id }, {}, options), responseId: id };
}

/** The fields of a response object, in whatever state it is. */
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
    status === "failed" || isFields(error) ? providerErrorFields(error, options.safetyCodes) : {},
    responseFields(textOfOutput(kept) ?? kept, { body }, options),
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

function withoutLogprobs(output: unknown, options: ExtractOptions): { kept: JsonValue; digest: LogprobsDigest } {
  const digest = new LogprobsDigest();
  const kept = snapshot(output ?? "");
  if (options.captureLogprobs || !Array.isArray(kept)) return { kept, digest };
  const partWithout = (part: JsonValue): JsonValue => {
    if (!isFields(part) || isEmpty(part["logprobs"])) return part;
    const { logprobs, ...rest } = part as { readonly [key: string]: JsonValue };
    digest.push(logprobs);
    return rest;
  };
  const items = kept.map((item: JsonValue) => {
    if (!isFields(item) || !Array.isArray(item["content"])) return item;
    const content = (item["content"] as readonly JsonValue[]).map(partWithout);
    return { ...(item as { readonly [key: string]: JsonValue }), content };
  });
  return { kept: items, digest };
}
