// The provider, the host and the parameters of a call to a model.
import {
  type CapturedFields,
  defined,
  type Fields,
  fieldsOf,
  isEmpty,
  listOf,
  omittedParameters,
  parametersOf,
  providerOfHost,
  serverOf,
  textOf,
} from "@ai-audit/core/capture";

/** A model of the SDK: of any kind and version. */
export interface NamedModel {
  readonly provider: string;
  readonly modelId: string;
}

/** Providers in OpenTelemetry's spelling, by the beginning of the SDK's name. */
const PROVIDERS: ReadonlyMap<string, string> = new Map([
  ["openai", "openai"],
  ["azure", "azure.ai.openai"],
  ["anthropic", "anthropic"],
  ["google", "gcp.gemini"],
  ["vertex", "gcp.vertex_ai"],
  ["amazon-bedrock", "aws.bedrock"],
  ["bedrock", "aws.bedrock"],
  ["mistral", "mistral_ai"],
  ["groq", "groq"],
  ["deepseek", "deepseek"],
  ["perplexity", "perplexity"],
  ["xai", "x_ai"],
  ["cohere", "cohere"],
  ["togetherai", "together_ai"],
  ["fireworks", "fireworks_ai"],
  ["cerebras", "cerebras"],
]);

/** The classifier's vendor of codes that no table lists, by the beginning of the SDK's name. */
const VENDORS: ReadonlyMap<string, string> = new Map([
  ["google", "gemini"],
  ["vertex", "gemini"],
  ["amazon-bedrock", "bedrock"],
]);

function familyOf(provider: string): string {
  const [family = provider] = provider.split(".");
  return provider.startsWith("google.vertex") ? "vertex" : family;
}

/** The vendor of a model's codes. */
export function vendorOf({ provider }: NamedModel): string {
  const family = familyOf(provider);
  return VENDORS.get(family) ?? family;
}

/** Model, provider and the SDK's own name for it. The name may be the application's. */
export function modelFields({ provider, modelId }: NamedModel): CapturedFields {
  const family = familyOf(provider);
  return {
    provider: PROVIDERS.get(family) ?? family,
    model: modelId,
    metadata: { ai_sdk: { provider } },
  };
}

/** The host that answered, where the SDK tells. A known host wins over the provider's name. */
export function serverFields(url: unknown): CapturedFields {
  const server = typeof url === "string" ? serverOf(url) : undefined;
  if (server === undefined) return {};
  return defined({ server, provider: providerOfHost(server.address) });
}

/**
 * The input of a chat: a lone question of a user as its text, other messages as they are. `beside`:
 * further members that the model sees.
 */
export function chatInput(messages: unknown, beside: Fields): unknown {
  if (!isEmpty(beside)) return { messages, ...beside };
  const [message, ...others] = listOf(messages);
  if (others.length > 0) return messages;
  const { role, content, ...more } = fieldsOf(message);
  if (role !== "user" || !Object.values(more).every(isEmpty)) return messages ?? "";
  if (typeof content === "string") return content;
  const [part, ...parts] = listOf(content);
  const { type, text, ...rest } = fieldsOf(part);
  const isText = type === "text" && Object.values(rest).every(isEmpty) && parts.length === 0;
  return isText ? text : messages;
}

/** The SDK's names of parameters, under the names that providers use. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["maxOutputTokens", "max_output_tokens"],
  ["temperature", "temperature"],
  ["topP", "top_p"],
  ["topK", "top_k"],
  ["presencePenalty", "presence_penalty"],
  ["frequencyPenalty", "frequency_penalty"],
  ["stopSequences", "stop_sequences"],
  ["seed", "seed"],
  ["n", "n"],
  ["size", "size"],
]);

/** Parameters of a call, and the names of provider options that an entry holds nowhere. */
export function parameterFields(params: Fields): CapturedFields {
  const body: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(fieldsOf(params["providerOptions"])))
    for (const [key, value] of Object.entries(fieldsOf(option)))
      body[snakeCase(key)] ??= name === "gateway" ? undefined : value;
  const omitted = omittedParameters(body);
  for (const [from, to] of RENAMED) if (params[from] !== undefined) body[to] = params[from];
  const { reasoning, toolChoice, tools, responseFormat } = params;
  if (typeof reasoning === "string" && reasoning !== "provider-default")
    body["reasoning_effort"] = reasoning;
  if (tools !== undefined) body["tools"] = listOf(tools);
  if (toolChoice !== undefined) {
    const { type, toolName } = fieldsOf(toolChoice);
    body["tool_choice"] = textOf(toolName) ?? type;
  }
  if (responseFormat !== undefined) body["response_format"] = responseFormat;
  return {
    parameters: parametersOf(body),
    ...(omitted.length > 0 && { metadata: { parameters_omitted: [...omitted] } }),
  };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
