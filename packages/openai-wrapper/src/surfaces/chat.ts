// chat.completions: POST /chat/completions
import type { CapturedFields, JsonValue } from "@ai-audit/core";
import { ChoicesCollector } from "./choices-stream.ts";
import { snapshot } from "./content.ts";
import type { ExtractOptions, Fields, SurfaceDefinition } from "./contract.ts";
import { mergeFields, requestFields, responseFields } from "./fields.ts";
import { LogprobsDigest, logprobsMetadata } from "./logprobs.ts";
import { parametersOf } from "./parameters.ts";
import { defined, fieldsOf, isEmpty, isFields, listOf, pick, textOf } from "./read.ts";
import { withoutToolSecrets } from "./tool-secrets.ts";
import { usageFields } from "./usage.ts";

/** What the model sees besides the messages. */
const SEEN = ["tools", "functions", "response_format", "prediction", "web_search_options"];

export const chat: SurfaceDefinition = {
  operation: "chat",
  request(body, options) {
    const { model, messages } = body;
    return requestFields(chatInput(messages, body), { model, parameters: parametersOf(body) }, options);
  },
  response(body, options) {
    const fields = fieldsOf(body);
    return chatFields(listOf(fields["choices"]).map(fieldsOf), fields, options);
  },
  stream: (options) =>
    new ChoicesCollector(options, {
      deltaOf: (choice) => choice["delta"],
      fieldsOf: (choices, body, digests) =>
        chatFields(
          choices.map(({ delta, ...choice }) => ({ ...choice, message: delta })),
          body,
          options,
          digests,
        ),
    }),
};

function chatInput(messages: unknown, body: Fields): JsonValue {
  const seen = pick(body, SEEN);
  if (!isEmpty(seen)) return withoutToolSecrets(snapshot({ messages, ...seen }));
  const [message, ...more] = listOf(messages);
  const { role, content, ...rest } = fieldsOf(message);
  if (role === "user" && typeof content === "string" && more.length === 0 && isEmpty(rest)) return snapshot(content);
  return snapshot(messages);
}

/** The fields of complete choices, in the wire's shape; `body` is what is around them. */
export function chatFields(
  choices: readonly Fields[],
  body: Fields,
  options: ExtractOptions,
  digests: readonly LogprobsDigest[] = choices.map(({ logprobs }) => digestOf(logprobs, options)),
): CapturedFields {
  const messages = choices.map(({ message, logprobs }) =>
    options.captureLogprobs && !isEmpty(logprobs) ? { ...fieldsOf(message), logprobs } : message,
  );
  const [only, ...others] = messages;
  const output = others.length > 0 ? snapshot(messages) : (textOfMessage(only) ?? snapshot(only));
  return mergeFields(responseFields(output, { body }, options), usageFields(body["usage"]), envelopeFields(body), {
    finishReasons: choices.flatMap((choice) => textOf(choice["finish_reason"]) ?? []),
    metadata: logprobsMetadata(digests),
  });
}

function digestOf(logprobs: unknown, options: ExtractOptions): LogprobsDigest {
  const digest = new LogprobsDigest();
  if (!options.captureLogprobs) digest.push(logprobs);
  return digest;
}

/** The text of a message that is nothing but a text. */
function textOfMessage(message: unknown): JsonValue | undefined {
  if (message === undefined) return "";
  if (!isFields(message)) return undefined;
  const { role, content, ...rest } = message;
  if ((role !== undefined && role !== "assistant") || !Object.values(rest).every(isEmpty)) return undefined;
  return content === null || content === undefined ? "" : typeof content === "string" ? snapshot(content) : undefined;
}

/** What the response says of itself. */
export function envelopeFields(body: Fields): CapturedFields {
  const served = pick(body, ["system_fingerprint", "service_tier"]);
  return defined({
    responseId: textOf(body["id"]),
    responseModel: textOf(body["model"]),
    metadata: isEmpty(served) ? undefined : { served: snapshot(served) },
  });
}
