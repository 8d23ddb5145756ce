// Request parameters that an entry names. An allow-list: any other member is content, a secret, or
// a person's name (`user`, `safety_identifier`, `metadata`).
import { type Fields, fieldsOf, isEmpty, isFields, listOf, textOf } from "./read.ts";
import { snapshot } from "./snapshot.ts";

/** Copied unchanged. */
const COPIED: ReadonlySet<string> = new Set([
  // sampling
  "temperature", "top_p", "top_k", "min_p", "n", "best_of", "seed", "stop", "stop_sequences",
  "frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias", "logprobs",
  "top_logprobs", "echo", "reasoning_effort", "verbosity", "thinking", "safe_prompt",
  // limits
  "max_tokens", "max_completion_tokens", "max_output_tokens", "max_tool_calls", "max_prompt_tokens",
  "parallel_tool_calls", "truncation", "truncation_strategy",
  // service
  "service_tier", "store", "stream", "stream_options", "background", "include", "modalities",
  "moderation", "previous_response_id", "prompt_cache_key", "prompt_cache_retention",
  "context_management", "models", "inference_geo",
  // embeddings
  "dimensions", "encoding_format",
  // images
  "size", "quality", "style", "output_format", "output_compression", "partial_images",
  "input_fidelity",
  // audio
  "voice", "speed", "stream_format", "language", "timestamp_granularities", "chunking_strategy",
  "audio",
  // files, batches, fine-tuning, assistants
  "purpose", "expires_after", "endpoint", "completion_window", "input_file_id", "training_file",
  "validation_file", "suffix", "method", "assistant_id", "seconds",
]); // prettier-ignore

/** The allow-listed parameters of a request's body. */
export function parametersOf(body: Fields): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const name of Object.keys(body)) {
    const value = body[name];
    if (value !== undefined && value !== null && COPIED.has(name))
      parameters[name] = typeof value === "object" ? snapshot(value) : value;
  }
  const derived: Fields = {
    tools: namesOf(body["tools"]),
    functions: namesOf(body["functions"]),
    tool_choice: choiceOf(body["tool_choice"] ?? body["function_call"]),
    response_format:
      formatOf(body["response_format"]) ?? formatOf(fieldsOf(body["text"])["format"]),
    text_verbosity: textOf(fieldsOf(body["text"])["verbosity"]),
    reasoning: isFields(body["reasoning"]) ? snapshot(body["reasoning"]) : undefined,
    conversation: textOf(body["conversation"]) ?? textOf(fieldsOf(body["conversation"])["id"]),
    data_sources: namesOf(body["data_sources"]),
    prompt_id: textOf(fieldsOf(body["prompt"])["id"]),
  };
  for (const name of Object.keys(derived))
    if (!isEmpty(derived[name])) parameters[name] = derived[name];
  return parameters;
}

/**
 * Members of requests that are content, that stand in a field of an entry, or that name a person.
 */
const KNOWN: ReadonlySet<string> = new Set([
  "additional_instructions", "additional_messages", "attachments", "content", "conversation",
  "data_sources", "documents", "file", "function_call", "functions", "image", "images", "input",
  "instructions", "keywords", "known_speaker_names", "known_speaker_references", "mask", "messages",
  "metadata", "model", "prediction", "prompt", "reasoning", "response_format", "role",
  "safety_identifier", "text", "thread", "tool_choice", "tool_outputs", "tools", "user",
  "web_search_options",
]); // prettier-ignore

/** Names of the parameters of a request that an entry holds nowhere: a host's own, or new ones. */
export function omittedParameters(body: Fields): readonly string[] {
  return Object.keys(body).filter(
    (name) => !COPIED.has(name) && !KNOWN.has(name) && !isEmpty(body[name]),
  );
}

/** A tool's name, or its type for the provider's own tools. */
function namesOf(tools: unknown): readonly string[] {
  return listOf(tools).flatMap((tool) => nameOf(tool) ?? []);
}

function nameOf(tool: unknown): string | undefined {
  const fields = fieldsOf(tool);
  const type = textOf(fields["type"]);
  return (
    textOf(fields["name"]) ??
    textOf(fieldsOf(fields["function"] ?? fields["custom"])["name"]) ??
    textOf(fields["server_label"]) ??
    type
  );
}

function choiceOf(choice: unknown): string | undefined {
  return textOf(choice) ?? nameOf(choice);
}

function formatOf(format: unknown): string | undefined {
  return textOf(format) ?? textOf(fieldsOf(format)["type"]);
}
