// images: POST /images/generations, /images/edits, /images/variations
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  StreamBudget,
  type StreamCollector,
  digestBase64,
  fieldsOf,
  isEmpty,
  isFields,
  listOf,
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

export const imageGeneration: SurfaceDefinition = imageSurface("image_generation");
export const imageEdit: SurfaceDefinition = imageSurface("image_edit");
export const imageVariation: SurfaceDefinition = imageSurface("image_variation");

function imageSurface(operation: string): SurfaceDefinition {
  return {
    operation,
    list: "data",
    request(body, options) {
      const { prompt, model } = body;
      const images = pickStated(body, ["image", "images", "mask"]);
      const input = isEmpty(images) ? prompt : { ...pickStated(body, ["prompt"]), ...images };
      return requestFields(
        snapshot(input ?? ""),
        { model, parameters: parametersOf(body) },
        options,
      );
    },
    response(body, options, asked) {
      const fields = fieldsOf(body);
      const mime = mimeOf(fields) ?? asked;
      const images = listOf(fields["data"]).map((image) => imageOf(image, mime));
      return mergeFields(
        responseFields(images, { body }, options),
        usageFields(fields["usage"]),
        servedFields(fields),
      );
    },
    stream: (options, mime) => new ImageCollector(options, mime),
    mimeOf,
  };
}

/** An image as JSON; base64 of more than 2 KB as a digest. */
function imageOf(image: unknown, mime: string | undefined): JsonValue {
  if (!isFields(image)) return snapshot(image);
  // The filter's verdicts are among the safety fields.
  const {
    content_filter_results: _output,
    prompt_filter_results: _input,
    usage: _usage,
    ...rest
  } = image;
  const { b64_json: base64, ...described } = rest;
  const digest =
    typeof base64 === "string"
      ? (digestBase64(base64, undefined, mime ?? "image/png") ?? base64)
      : snapshot(base64);
  return snapshot({ ...described, ...(base64 !== undefined && { b64_json: digest }) });
}

function mimeOf({ output_format: format }: Fields): string | undefined {
  return textOf(format) && `image/${textOf(format)}`;
}

function servedFields(fields: Fields): CapturedFields {
  const served = pickStated(fields, ["size", "quality", "background", "output_format"]);
  return isEmpty(served) ? {} : { metadata: { served: snapshot(served) } };
}

/**
 * Collects `image_generation.*` and `image_edit.*` events; each image is one item of the output,
 * partial ones too.
 */
class ImageCollector implements StreamCollector {
  readonly #options: ExtractOptions;
  readonly #mime: string | undefined;
  readonly #budget: StreamBudget;
  readonly #images: JsonValue[] = [];
  #usage: unknown;
  #served: Fields = {};
  #error: unknown;
  terminal = false;
  firstContentSeen = false;

  constructor(options: ExtractOptions, mime: string | undefined) {
    this.#options = options;
    this.#mime = mime;
    this.#budget = new StreamBudget(options.maxContentBytes);
  }

  push(event: unknown): void {
    const { event: name, data } = fieldsOf(event);
    // Version 5.0 knows no named events of this surface, and hands them out with their names.
    const fields = fieldsOf(typeof name === "string" && isFields(data) ? data : event);
    const type = textOf(fields["type"]) ?? "";
    if (type === "error" || isFields(fields["error"]))
      this.#error = snapshot(fields["error"] ?? fields);
    if (!type.startsWith("image_")) return;
    this.firstContentSeen = true;
    const { size, quality, background, output_format } = fields;
    const image = imageOf(
      pickStated(fields, ["type", "partial_image_index", "b64_json", "url", "revised_prompt"]),
      mimeOf(fields) ?? this.#mime,
    );
    if (this.#budget.takeMember(JSON.stringify(image).length)) this.#images.push(image);
    if (!type.endsWith(".completed")) return;
    this.terminal = true;
    this.#usage = snapshot(fields["usage"]);
    this.#served = { size, quality, background, output_format };
  }

  result(): CapturedFields {
    return mergeFields(
      responseFields(this.#images, {}, this.#options),
      usageFields(this.#usage),
      servedFields(this.#served),
      { alerts: this.#budget.alerts },
      this.#error === undefined
        ? {}
        : providerErrorFields(this.#error, { codes: this.#options.safetyCodes }),
    );
  }
}
