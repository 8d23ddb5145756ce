// The audit of one application: middleware for its models, and an integration for its process.
import {
  type CapturedFields,
  type CaptureStats,
  fieldsOf,
  listOf,
  mergeFields,
  snapshot,
  textOf,
} from "@ai-audit/core/capture";
import { Approvals } from "./approvals.ts";
import { generatedFields, reportedUsage } from "./answer.ts";
import { ModelCalls, type ModelRequest } from "./model-calls.ts";
import { chatInput, type NamedModel } from "./model-facts.ts";
import { type AiSdkAuditOptions, resolveOptions } from "./options.ts";
import { type AuditTelemetry, auditTelemetry } from "./telemetry.ts";
import { ToolRequests } from "./tool-requests.ts";

/** A call that a middleware wraps. */
interface Wrapped<P> {
  readonly model: NamedModel;
  readonly params: P;
}

/** For `wrapLanguageModel` and `wrapProvider` of `ai` 6 and 7. */
export interface LanguageModelAudit {
  readonly specificationVersion: "v3";
  wrapGenerate<R>(call: Wrapped<object> & { doGenerate: () => PromiseLike<R> }): Promise<R>;
  wrapStream<R extends { readonly stream: ReadableStream<unknown> }>(
    call: Wrapped<object> & { doStream: () => PromiseLike<R> },
  ): Promise<R>;
  overrideSupportedUrls<U>(options: {
    readonly model: NamedModel & { readonly supportedUrls: U };
  }): U;
}

/** For `wrapEmbeddingModel`. */
export interface EmbeddingModelAudit {
  readonly specificationVersion: "v3";
  wrapEmbed<R>(call: Wrapped<object> & { doEmbed: () => PromiseLike<R> }): Promise<R>;
}

/** For `wrapImageModel` and `wrapProvider`. */
export interface ImageModelAudit {
  readonly specificationVersion: "v3";
  wrapGenerate<R>(call: Wrapped<object> & { doGenerate: () => PromiseLike<R> }): Promise<R>;
}

/** The audit of the AI SDK. */
export interface AiSdkAudit {
  readonly languageModel: LanguageModelAudit;
  readonly embeddingModel: EmbeddingModelAudit;
  readonly imageModel: ImageModelAudit;
  /** Records tool calls, and the model calls that no middleware records. */
  readonly telemetry: AuditTelemetry;
  readonly stats: CaptureStats;
}

/** Models wrapped by name. An application has a few; more are recorded by their middleware alone. */
const MAX_NAMES = 10_000;

/**
 * Makes the middleware and the integration that record the calls of Vercel's AI SDK.
 *
 * @example
 * const audit = auditAiSdk({ logger });
 * registerTelemetry(audit.telemetry); // all calls of the process
 * const model = wrapLanguageModel({ model: openai("gpt-5"), middleware: audit.languageModel });
 * @throws `AUDIT_CONFIG_INVALID`
 */
export function auditAiSdk(options: AiSdkAuditOptions): AiSdkAudit {
  const settings = resolveOptions(options);
  const requests = new ToolRequests();
  const approvals = new Approvals(settings);
  const calls = new ModelCalls(settings, requests, approvals);
  const wrapped = new Set<string>();
  const isWrapped = (model: NamedModel): boolean => wrapped.has(keyOf(model));
  return {
    languageModel: {
      specificationVersion: "v3",
      wrapGenerate: ({ model, params, doGenerate }) =>
        calls.generate(chat(model, params, false), doGenerate),
      wrapStream: ({ model, params, doStream }) =>
        calls.stream(chat(model, params, true), doStream),
      overrideSupportedUrls: ({ model }) => {
        if (wrapped.size < MAX_NAMES) wrapped.add(keyOf(model)); // called when a model is wrapped
        return model.supportedUrls;
      },
    },
    embeddingModel: {
      specificationVersion: "v3",
      wrapEmbed: ({ model, params, doEmbed }) => {
        const { values } = fieldsOf(params);
        const request = {
          operation: "embeddings",
          model,
          params: fieldsOf(params),
          input: listOf(values).length === 1 ? listOf(values)[0] : values,
          read: readEmbeddings,
        };
        return calls.generate(request, doEmbed);
      },
    },
    imageModel: {
      specificationVersion: "v3",
      wrapGenerate: ({ model, params, doGenerate }) => {
        const { prompt, files, mask } = fieldsOf(params);
        const request = {
          operation: "image_generation",
          model,
          params: fieldsOf(params),
          input:
            files === undefined && mask === undefined ? (prompt ?? "") : { prompt, files, mask },
          read: readImages,
        };
        return calls.generate(request, doGenerate);
      },
    },
    telemetry: auditTelemetry({ settings, calls, requests, approvals, isWrapped }),
    get stats() {
      return settings.recorder.stats;
    },
  };
}

function keyOf({ provider, modelId }: NamedModel): string {
  return JSON.stringify([provider, modelId]);
}

function chat(model: NamedModel, params: object, streamed: boolean): ModelRequest {
  return {
    operation: "chat",
    model,
    params: fieldsOf(params),
    input: inputOf(params),
    read: generatedFields,
    streamed,
  };
}

/** Everything that the model sees: the prompt, and its tools and schema beside it. */
function inputOf(params: object): unknown {
  const { prompt, tools, responseFormat } = fieldsOf(params);
  return chatInput(prompt, {
    ...(listOf(tools).length > 0 && { tools }),
    ...(fieldsOf(responseFormat)["schema"] !== undefined && { response_format: responseFormat }),
  });
}

function readEmbeddings(result: unknown): CapturedFields {
  const { embeddings, usage } = fieldsOf(result);
  const vectors = listOf(embeddings);
  return mergeFields(
    { outcome: "ok", output: { count: vectors.length, dimensions: listOf(vectors[0]).length } },
    tokensOf(usage),
  );
}

function tokensOf(usage: unknown): CapturedFields {
  const { tokens } = fieldsOf(usage);
  return typeof tokens === "number" && Number.isSafeInteger(tokens)
    ? { inputTokens: tokens, usage: { source: "reported" } }
    : {};
}

/** Images as digests, whatever their size. */
function readImages(result: unknown): CapturedFields {
  const { images, usage, response } = fieldsOf(result);
  return mergeFields(
    {
      outcome: "ok",
      output: snapshot(listOf(images).map((image) => ({ type: "image", data: image }))),
      responseModel: textOf(fieldsOf(response)["modelId"]),
    },
    reportedUsage(usage),
  );
}
