// audio.transcriptions and audio.translations: POST /audio/transcriptions, /audio/translations
import {
  type CapturedFields,
  type Fields,
  GrowingText,
  type JsonValue,
  LogprobsDigest,
  StreamBudget,
  type StreamCollector,
  fieldsOf,
  isEmpty,
  isFields,
  logprobsMetadata,
  mergeFields,
  parametersOf,
  pickStated,
  providerErrorFields,
  snapshot,
  textOf,
  usageFields,
} from "@ai-audit/core/capture";
import {
  type ExtractOptions,
  requestFields,
  responseFields,
  type SurfaceDefinition,
} from "@ai-audit/core/sdk";

export const transcription: SurfaceDefinition = transcribing("transcription");
export const translation: SurfaceDefinition = transcribing("translation");

function transcribing(operation: string): SurfaceDefinition {
  return {
    operation,
    request(body, options) {
      const input = pickStated(body, [
        "file",
        "prompt",
        "known_speaker_names",
        "known_speaker_references",
        "keywords",
      ]);
      return requestFields(
        snapshot(input),
        { model: body["model"], parameters: parametersOf(body) },
        options,
      );
    },
    response: (body, options) =>
      // srt, vtt and text come as text
      isFields(body)
        ? transcriptFields(body, options)
        : responseFields(snapshot(body ?? ""), {}, options),
    stream: (options) => new TranscriptCollector(options),
  };
}

function transcriptFields(body: Fields, options: ExtractOptions): CapturedFields {
  const { text, usage, logprobs, ...rest } = body;
  const digest = new LogprobsDigest();
  if (!options.captureLogprobs) digest.push(logprobs);
  const more = { ...rest, ...(options.captureLogprobs && !isEmpty(logprobs) && { logprobs }) };
  const output: JsonValue = Object.values(more).every(isEmpty)
    ? snapshot(text ?? "")
    : snapshot({ text, ...more });
  return mergeFields(responseFields(output, { body }, options), usageFields(usage), {
    metadata: logprobsMetadata([digest]),
  });
}

/** Collects `transcript.text.*` events. The last one carries the whole text. */
class TranscriptCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #budget: StreamBudget;
  readonly #text: GrowingText;
  readonly #segments: JsonValue[] = [];
  #final: CapturedFields | undefined;
  #error: unknown;
  firstContentSeen = false;

  constructor(options: ExtractOptions) {
    this.#options = options;
    this.#budget = new StreamBudget(options.maxContentBytes);
    this.#text = new GrowingText(this.#budget);
  }

  get terminal(): boolean {
    return this.#final !== undefined;
  }

  push(event: unknown): void {
    const { type, delta, error, ...rest } = fieldsOf(event);
    if (type === "transcript.text.delta" && typeof delta === "string") {
      this.#text.push(delta);
      this.firstContentSeen ||= delta !== "";
    } else if (type === "transcript.text.segment") {
      this.firstContentSeen = true;
      const segment = snapshot(rest);
      if (this.#budget.takeMember(JSON.stringify(segment).length)) this.#segments.push(segment);
    } else if (type === "transcript.text.done") {
      this.firstContentSeen ||= textOf(rest["text"]) !== undefined;
      this.#final = transcriptFields({ ...rest, segments: this.#segments }, this.#options);
    } else if (type === "error" || isFields(error)) this.#error = snapshot(error ?? event);
  }

  result(): CapturedFields {
    const partial = { text: this.#text.value(), segments: this.#segments };
    return mergeFields(
      this.#final ?? transcriptFields(partial, this.#options),
      { alerts: this.#budget.alerts },
      this.#error === undefined
        ? {}
        : providerErrorFields(this.#error, { codes: this.#options.safetyCodes }),
    );
  }
}
