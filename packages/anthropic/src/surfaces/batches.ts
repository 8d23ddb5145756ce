// Message batches: the requests go out together, their results come later as lines of JSON.
import {
  addFields,
  type CapturedFields,
  defined,
  type Fields,
  fieldsOf,
  type JsonValue,
  listOf,
  snapshot,
  textOf,
} from "@ai-audit/core/capture";
import {
  objectSurface,
  requestFields,
  responseFields,
  type SurfaceDefinition,
} from "@ai-audit/core/sdk";
import { inputOf } from "./messages.ts";

export const batchCreation: SurfaceDefinition = {
  ...objectSurface("batches.create"),
  request: (body, options) =>
    requestFields(
      listOf(body["requests"]).map((request) => requestIn(fieldsOf(request))),
      { model: modelIn(body) },
      options,
    ),
};

function requestIn({ custom_id: id, params }: Fields): JsonValue {
  const body = fieldsOf(params);
  return {
    ...defined({ custom_id: textOf(id), model: textOf(body["model"]) }),
    input: inputOf(body),
  };
}

/** The model of a batch whose requests all name the same. */
function modelIn(body: Fields): string | undefined {
  const models = new Set(
    listOf(body["requests"]).map((request) =>
      textOf(fieldsOf(fieldsOf(request)["params"])["model"]),
    ),
  );
  const [model, ...more] = models;
  return more.length === 0 ? model : undefined;
}

/** The results of a batch, read line by line or all together. */
export const batchResults: SurfaceDefinition = {
  operation: "batches.results",
  request: (_body, options, { path }) =>
    requestFields({ batch_id: path.split("/").at(-2) ?? "" }, {}, options),
  response: (body, options) => resultsFields(Array.isArray(body) ? listOf(body) : [body], options),
};

function resultsFields(
  lines: readonly unknown[],
  options: Parameters<SurfaceDefinition["response"]>[1],
): CapturedFields {
  const results = lines.map((line) => fieldsOf(fieldsOf(line)["result"]));
  const answers = results.map(({ message, error }) =>
    message === undefined ? { error: fieldsOf(error)["error"] ?? error } : fieldsOf(message),
  );
  const counts: Record<string, number> = {};
  for (const { type } of results) {
    const name = textOf(type) ?? "unknown";
    counts[name] = (counts[name] ?? 0) + 1;
  }
  const fields = responseFields(snapshot(lines), { answers, vendor: "anthropic" }, options);
  return addFields(fields, { metadata: { results: counts } });
}
