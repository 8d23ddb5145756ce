// completions: POST /completions
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  type LogprobsDigest,
  fieldsOf,
  isEmpty,
  listOf,
  parametersOf,
  snapshot,
} from "@ai-audit/core/capture";
import { type ExtractOptions, requestFields, type SurfaceDefinition } from "@ai-audit/core/sdk";
import { choicesFields } from "./choices.ts";
import { ChoicesCollector, type ChoicesShape } from "./choices-stream.ts";

export const completions: SurfaceDefinition = {
  operation: "text_completion",
  list: "choices",
  request(body, options) {
    const { model, prompt, suffix } = body;
    const input = isEmpty(suffix) ? soleText(prompt) : { prompt, suffix };
    return requestFields(snapshot(input ?? ""), { model, parameters: parametersOf(body) }, options);
  },
  response(body, options) {
    const fields = fieldsOf(body);
    return completionFields(listOf(fields["choices"]).map(fieldsOf), fields, options);
  },
  stream: (options) => new ChoicesCollector(options, PIECES),
};

const PIECES: ChoicesShape = {
  deltaOf: ({ text }) => ({ text }),
  fieldsOf: (choices, body, options, digests) =>
    completionFields(
      choices.map(({ delta, ...choice }) => ({ ...choice, ...delta })),
      body,
      options,
      digests,
    ),
};

/** `["Hello!"]` is one text as well. */
function soleText(prompt: unknown): unknown {
  const [only, ...others] = listOf(prompt);
  return typeof only === "string" && others.length === 0 ? only : prompt;
}

/** One answer is its text, several are a list of texts. */
function completionFields(
  choices: readonly Fields[],
  body: Fields,
  options: ExtractOptions,
  digests?: readonly LogprobsDigest[],
): CapturedFields {
  const texts = choices.map(({ text, logprobs }): JsonValue =>
    options.captureLogprobs && !isEmpty(logprobs)
      ? snapshot({ text, logprobs })
      : snapshot(text ?? ""),
  );
  return choicesFields(
    texts.length > 1 ? texts : (texts[0] ?? ""),
    choices,
    body,
    options,
    digests,
  );
}
