// audio.speech: POST /audio/speech. The answer is bytes; an entry keeps their type, length and
// digest.
import {
  Base64Digest,
  type CapturedFields,
  type Fields,
  type StreamCollector,
  digestBytes,
  fieldsOf,
  isEmpty,
  isFields,
  mergeFields,
  parametersOf,
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

export const speech: SurfaceDefinition = {
  operation: "speech",
  request(body, options) {
    const { model, input, instructions } = body;
    const content = isEmpty(instructions) ? input : { input, instructions };
    return requestFields(
      snapshot(content ?? ""),
      { model, parameters: parametersOf(body) },
      options,
    );
  },
  response(body, options, mime) {
    const bytes = bytesOf(body);
    if (bytes) return responseFields(digestBytes(bytes, mime), { body: {} }, options);
    // A response whose bytes its caller has not read holds nothing that could be kept.
    return responseFields(body instanceof Response ? "" : snapshot(body ?? ""), { body }, options);
  },
  stream: (options, mime) => new SpeechCollector(options, mime),
  mimeOf: ({ response_format: format }) => textOf(MIME[textOf(format) ?? "mp3"]),
};

function bytesOf(body: unknown): Uint8Array | undefined {
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  return undefined;
}

/** Media types of `response_format`; mp3 is the API's default. */
const MIME: Fields = {
  mp3: "audio/mpeg",
  opus: "audio/ogg",
  aac: "audio/aac",
  flac: "audio/flac",
  wav: "audio/wav",
  pcm: "audio/pcm",
};

/** Collects `speech.audio.*` events: the digest of all audio. */
class SpeechCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #mime: string | undefined;
  readonly #audio = new Base64Digest();
  #usage: unknown;
  #error: unknown;
  terminal = false;
  firstContentSeen = false;

  constructor(options: ExtractOptions, mime: string | undefined) {
    this.#options = options;
    this.#mime = mime;
  }

  push(event: unknown): void {
    const { type, audio, usage, error } = fieldsOf(event);
    if (typeof audio === "string" && type === "speech.audio.delta") {
      this.#audio.push(audio);
      this.firstContentSeen ||= audio !== "";
    } else if (type === "speech.audio.done") {
      this.terminal = true;
      this.#usage = snapshot(usage);
    } else if (type === "error" || isFields(error)) this.#error = snapshot(error ?? event);
  }

  result(): CapturedFields {
    return mergeFields(
      responseFields(this.#audio.digest(this.#mime), {}, this.#options),
      usageFields(this.#usage),
      this.#error === undefined
        ? {}
        : providerErrorFields(this.#error, { codes: this.#options.safetyCodes }),
    );
  }
}
