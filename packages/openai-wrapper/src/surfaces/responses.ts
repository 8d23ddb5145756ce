// responses: POST /responses, GET /responses/{id}, POST /responses/{id}/cancel, POST
// /responses/compact
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  fieldsOf,
  isEmpty,
  isFields,
  listOf,
  parametersOf,
  pickStated,
  snapshot,
  withoutToolSecrets,
} from "@ai-audit/core/capture";
import {
  type ExtractOptions,
  requestFields,
  type SurfaceDefinition,
  type WireRequest,
} from "@ai-audit/core/sdk";
import { responseObjectFields } from "./response-object.ts";
import { ResponsesCollector } from "./responses-stream.ts";

/** Members that the model sees besides the input. */
const SEEN = ["instructions", "tools", "prompt"];

export const responses: SurfaceDefinition = {
  operation: "responses",
  list: "output",
  request: (body, options) =>
    requestFields(
      responsesInput(body),
      { model: body["model"], parameters: parametersOf(body) },
      options,
    ),
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
  const seen = {
    ...pickStated(body, SEEN),
    ...(isFields(format) && format["type"] !== "text" && { text: { format } }),
  };
  const { input } = body;
  if (!isEmpty(seen)) return withoutToolSecrets(snapshot({ input, ...seen }));
  const [item, ...more] = listOf(input);
  const { role, content, type, ...rest } = fieldsOf(item);
  const alone =
    more.length === 0 &&
    role === "user" &&
    (type === undefined || type === "message") &&
    isEmpty(rest);
  return alone && typeof content === "string" ? snapshot(content) : snapshot(input ?? "");
}

/** Requests about a known response have nothing to say but which one. */
function idFields(request: WireRequest, options: ExtractOptions): CapturedFields {
  const id = /\/responses\/([^/?]+)/.exec(request.path)?.[1];
  return id === undefined
    ? { input: "" }
    : { ...requestFields({ response_id: id }, {}, options), responseId: id };
}
