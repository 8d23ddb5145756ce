// Fields of a model call's entry, from its start and from its result.
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  clearFacts,
  defined,
  fieldsOf,
  firstText,
  isFailureReason,
  isEmpty,
  isWord,
  listOf,
  mergeFields,
  noAnswerFields,
  parametersOf,
  pick,
  pickStated,
  providerErrorFields,
  type SafetyCodes,
  textOf,
  undoubled,
  withoutToolSecrets,
} from "@ai-audit/core/capture";
import type { Destination } from "./destination.ts";
import { onlyText } from "./messages.ts";
import type { Settings } from "./options.ts";
import { answerSafety, finishReasonsOf } from "./safety.ts";
import { describeMessage, snapshotOfFields } from "./snapshot.ts";
import type { StreamedUsage } from "./partial.ts";
import { usageOf } from "./usage.ts";

/** Arguments of a model's start callbacks, besides its ids. */
export interface ModelStart {
  /** Messages of one chat call, or the prompt of one legacy call. */
  readonly prompt: readonly unknown[] | string;
  readonly params: Fields;
  readonly metadata: Fields;
  readonly destination: Destination;
}

/** Parameters that the model sees besides the messages. */
const SEEN: readonly string[] = ["tools", "functions", "instructions", "prediction", "system"];

/** The fields known when a model is called. */
export function describeModelStart(
  { prompt, params, metadata, destination: { provider, server } }: ModelStart,
  settings: Settings,
): CapturedFields {
  const parameters = parametersOf(params);
  return {
    operation: typeof prompt === "string" ? "text_completion" : "chat",
    provider,
    ...defined({ server }),
    model:
      firstText(
        metadata["ls_model_name"],
        params["model"],
        params["model_name"],
        params["modelName"],
        params["modelId"],
      ) ?? null,
    input:
      typeof prompt === "string" ? prompt : describePrompt(prompt, params, settings.inlineBytes),
    ...(!isEmpty(parameters) && { parameters }),
  };
}

/**
 * The text of a single plain message, else the messages; an object when more than messages was
 * sent.
 */
function describePrompt(
  messages: readonly unknown[],
  params: Fields,
  inlineBytes: number,
): JsonValue {
  const described = messages.map((message) => describeMessage(message, inlineBytes));
  const seen = { ...pick(params, SEEN), ...formatOf(params) };
  for (const [name, value] of Object.entries(seen))
    if (Array.isArray(value) && value.length === 0) delete seen[name];
  if (!isEmpty(seen))
    return withoutToolSecrets({ messages: described, ...snapshotOfFields(seen, inlineBytes) });
  const [only] = described;
  const text = described.length === 1 && only !== undefined ? onlyText(only, "user") : undefined;
  return text ?? described;
}

/** A response format other than plain text is part of what the model sees. */
function formatOf(params: Fields): Record<string, unknown> {
  const format = fieldsOf(params["response_format"]);
  const text = fieldsOf(fieldsOf(params["text"])["format"]);
  return {
    ...(!isEmpty(format) && format["type"] !== "text" && { response_format: format }),
    ...(!isEmpty(text) && text["type"] !== "text" && { text: { format: text } }),
  };
}

/** The facts of a call that its result does not have. */
export interface ResultContext {
  readonly vendor: string;
  /** The answer came from LangChain's cache. */
  readonly cached: boolean;
  readonly batchSize: number;
  /** Token counts in the pieces of a stream. */
  readonly streamed: StreamedUsage;
  readonly settings: Settings;
}

/** The fields that a result adds. */
export function describeResult(
  result: unknown,
  { vendor, cached, batchSize, streamed, settings }: ResultContext,
): CapturedFields {
  const { generations, llmOutput } = fieldsOf(result);
  const candidates = listOf(listOf(generations)[0]).flatMap((generation) => {
    const { message, text, generationInfo } = fieldsOf(generation);
    if (generation === undefined || generation === null) return [];
    return [
      { message: fieldsOf(message), text: textOf(text) ?? "", info: fieldsOf(generationInfo) },
    ];
  });
  const first = candidates[0]?.message ?? {};
  const response = fieldsOf(first["response_metadata"]);
  const finishReasons = candidates.flatMap(({ message, info }) => finishReasonsOf(message, info));
  const safety = answerSafety(candidates, vendor, settings.safetyCodes);
  const metadata = factsOf(first);
  const fields: CapturedFields = {
    outcome: "ok",
    output: outputOf(candidates, settings.inlineBytes),
    ...defined({
      responseId: responseIdOf(first, response),
      responseModel: modelOf(first, response),
      requestId: textOf(fieldsOf(response["$metadata"])["requestId"]),
      finishReasons: finishReasons.length > 0 ? finishReasons : undefined,
    }),
    ...usageOf({
      message: first,
      llmOutput: fieldsOf(llmOutput),
      cached,
      batchSize,
      streamed,
      vendor,
    }),
    ...failureIn(finishReasons, settings.safetyCodes),
    ...(candidates.length > 0 ? safety : noAnswerFields(safety)),
  };
  return isEmpty(metadata) ? fields : mergeFields(fields, { metadata });
}

/**
 * Facts of an answer that the next input must not repeat: the parts of the conversation that the
 * provider left out, and the container that it ran code in.
 */
function factsOf(message: Fields): Fields {
  const { context_management: management, container } = {
    ...fieldsOf(message["response_metadata"]),
    ...pickStated(fieldsOf(message["additional_kwargs"]), ["context_management", "container"]),
  };
  const edits = listOf(fieldsOf(management)["applied_edits"]);
  const id = textOf(fieldsOf(container)["id"]);
  return defined({
    container: id !== undefined && isWord(id) ? id : undefined,
    context_management:
      edits.length === 0
        ? undefined
        : { applied_edits: edits.map((edit) => clearFacts(fieldsOf(edit))) },
  });
}

/** LangChain drops the error inside of a choice. The finish reason beside it stays. */
function failureIn(finishReasons: readonly string[], codes: SafetyCodes): CapturedFields {
  const failed = finishReasons.find(isFailureReason);
  if (failed === undefined) return {};
  const { outcome, error } = providerErrorFields({ code: failed }, { codes });
  // An error of one answer leaves the others.
  return finishReasons.every(isFailureReason) ? { outcome, error } : { error };
}

/** In streams Anthropic's stands beside the message. Joined chunks of some hosts repeat it. */
function modelOf(message: Fields, response: Fields): string | undefined {
  const kwargs = fieldsOf(message["additional_kwargs"]);
  const model = firstText(response["model_name"], response["model"], kwargs["model"]);
  return model === undefined ? undefined : undoubled(model);
}

/** Ids of the tool calls in a result. */
export function toolCallIds(result: unknown): string[] {
  return listOf(listOf(fieldsOf(result)["generations"])[0])
    .flatMap((generation) => listOf(fieldsOf(fieldsOf(generation)["message"])["tool_calls"]))
    .flatMap((call) => textOf(fieldsOf(call)["id"]) ?? []);
}

/** Ids that LangChain makes up itself (`run-…`, `lc_run-…`) are not the provider's. */
function responseIdOf(message: Fields, response: Fields): string | undefined {
  const id = textOf(response["id"]) ?? textOf(message["id"]);
  return id === undefined || /^(?:lc_)?run-/.test(id) ? undefined : id;
}

function outputOf(
  candidates: readonly { readonly message: Fields; readonly text: string }[],
  inlineBytes: number,
): JsonValue {
  const answers = candidates.map(({ message, text }) => answerOf(message, text, inlineBytes));
  return answers.length === 1 ? (answers[0] ?? "") : answers;
}

/** One answer: its text when it is only text. */
export function answerOf(message: Fields, text: string, inlineBytes: number): JsonValue {
  if (isEmpty(message)) return text; // a legacy LLM gives strings
  const described = describeMessage(message, inlineBytes);
  return onlyText(described, "assistant") ?? described;
}
