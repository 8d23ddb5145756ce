// Text completions: POST /v1/complete, which versions of the SDK before 1.0 have.
import {
  type CapturedFields,
  type Fields,
  fieldsOf,
  GrowingText,
  parametersOf,
  snapshot,
  StreamBudget,
  type StreamCollector,
  textOf,
} from "@ai-audit/core/capture";
import {
  envelopeFields,
  type ExtractOptions,
  requestFields,
  responseFields,
  type SurfaceDefinition,
} from "@ai-audit/core/sdk";

export const completions: SurfaceDefinition = {
  operation: "text_completion",
  members: ["max_tokens_to_sample"],
  request: (body, options) =>
    requestFields(
      snapshot(body["prompt"] ?? ""),
      {
        model: body["model"],
        parameters: { ...parametersOf(body), max_tokens: body["max_tokens_to_sample"] },
      },
      options,
    ),
  response: (body, options) => completionFields(fieldsOf(body), options),
  stream: (options) => new CompletionCollector(options),
};

function completionFields(body: Fields, options: ExtractOptions): CapturedFields {
  const { completion, stop_reason: reason } = body;
  return {
    ...responseFields(snapshot(completion ?? ""), { body, vendor: "anthropic" }, options),
    ...envelopeFields(body),
    finishReasons: textOf(reason) === undefined ? [] : [String(reason)],
  };
}

class CompletionCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #text: GrowingText;
  #last: Fields = {};
  firstContentSeen = false;

  constructor(options: ExtractOptions) {
    this.#options = options;
    this.#text = new GrowingText(new StreamBudget(options.maxContentBytes));
  }

  get terminal(): boolean {
    return textOf(this.#last["stop_reason"]) !== undefined;
  }

  push(event: unknown): void {
    const { completion, ...rest } = fieldsOf(event);
    if (typeof completion === "string") this.#text.push(completion);
    this.firstContentSeen ||= completion !== "";
    this.#last = fieldsOf(snapshot(rest));
  }

  result(): CapturedFields {
    return completionFields({ ...this.#last, completion: this.#text.value() }, this.#options);
  }
}
