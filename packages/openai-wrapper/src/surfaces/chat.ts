// chat.completions: POST /chat/completions
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  type LogprobsDigest,
  fieldsOf,
  isEmpty,
  isFields,
  isOmission,
  listOf,
  parametersOf,
  pickStated,
  snapshot,
  withoutToolSecrets,
} from "@ai-audit/core/capture";
import { type ExtractOptions, requestFields, type SurfaceDefinition } from "@ai-audit/core/sdk";
import { choicesFields } from "./choices.ts";
import { ChoicesCollector, type ChoicesShape } from "./choices-stream.ts";

/** Members that the model sees besides the messages. */
const SEEN = [
  "tools",
  "functions",
  "response_format",
  "prediction",
  "web_search_options",
  "documents",
];

export const chat: SurfaceDefinition = {
  operation: "chat",
  list: "choices",
  request(body, options) {
    const { model, messages } = body;
    return requestFields(
      chatInput(messages, body),
      { model, parameters: parametersOf(body) },
      options,
    );
  },
  response(body, options) {
    const fields = fieldsOf(body);
    return chatFields(listOf(fields["choices"]).map(fieldsOf), fields, options);
  },
  stream: (options) => new ChoicesCollector(options, CHUNKS),
};

/** A stored answer that is fetched later. Its request has nothing but an id. */
export const storedChat: SurfaceDefinition = {
  ...chat,
  operation: "chat.retrieve",
  request: (_body, options, { path }) =>
    requestFields({ completion_id: path.split("/").at(-1) ?? "" }, {}, options),
};

const CHUNKS: ChoicesShape = {
  deltaOf: (choice) => choice["delta"],
  fieldsOf: (choices, body, options, digests) =>
    chatFields(
      choices.map(({ delta, ...choice }) => ({ ...choice, message: delta })),
      body,
      options,
      digests,
    ),
};

function chatInput(messages: unknown, body: Fields): JsonValue {
  const seen = pickStated(body, SEEN);
  if (!isEmpty(seen)) return withoutToolSecrets(snapshot({ messages, ...seen }));
  const [message, ...more] = listOf(messages);
  const { role, content, ...rest } = fieldsOf(message);
  if (role === "user" && typeof content === "string" && more.length === 0 && isEmpty(rest))
    return snapshot(content);
  return snapshot(messages ?? "");
}

function chatFields(
  choices: readonly Fields[],
  body: Fields,
  options: ExtractOptions,
  digests?: readonly LogprobsDigest[],
): CapturedFields {
  const messages = choices.map(({ message, logprobs }) =>
    options.captureLogprobs && !isEmpty(logprobs) ? { ...fieldsOf(message), logprobs } : message,
  );
  const [only, ...others] = messages;
  const output = others.length > 0 ? snapshot(messages) : (textOfMessage(only) ?? snapshot(only));
  return choicesFields(output, choices, body, options, digests);
}

/** The text of a message that holds only text. */
function textOfMessage(message: unknown): JsonValue | undefined {
  if (message === undefined || message === null) return "";
  if (!isFields(message)) return undefined;
  const { role, content, ...rest } = message;
  if ((role !== undefined && role !== "assistant") || !Object.values(rest).every(isEmpty))
    return undefined;
  if (content === null || content === undefined) return "";
  // Streamed text that did not fit is an object with a digest, and counts as text.
  return typeof content === "string" || isOmission(content) ? snapshot(content) : undefined;
}
