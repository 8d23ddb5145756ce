// A message of the model: the body of a call, of a stream put together, of a batch's result.
import {
  addFields,
  clearFacts,
  defined,
  type Fields,
  fieldsOf,
  type GrowingFields,
  isEmpty,
  isOmission,
  isWord,
  type JsonValue,
  listOf,
  pickStated,
  snapshot,
  textOf,
  usageFields,
} from "@ai-audit/core/capture";
import {
  envelopeFields,
  type ExtractOptions,
  responseFields,
  wordsAmong,
} from "@ai-audit/core/sdk";

/** Members that have fields of an entry, or no meaning. */
const KNOWN: ReadonlySet<string> = new Set([
  "content",
  "container",
  "context_management",
  "id",
  "model",
  "role",
  "stop_details",
  "stop_reason",
  "type",
  "usage",
]);

/** The fields of a message in the wire's shape. */
export function messageFields(message: Fields, options: ExtractOptions): GrowingFields {
  const { usage, content, container, stop_reason: reason } = message;
  const others = Object.fromEntries(
    Object.entries(message).filter(([name, value]) => !KNOWN.has(name) && !isEmpty(value)),
  );
  const output = textIn(content) ?? snapshot(content ?? "");
  const evidence = { body: { ...message, content: listOf(content) }, vendor: "anthropic" };
  const fields = responseFields(
    isEmpty(others) ? output : snapshot({ content: output, ...others }),
    evidence,
    options,
  );
  addFields(fields, usageFields(usage));
  addFields(fields, envelopeFields(message, wordsAmong(fieldsOf(usage), SERVED)));
  fields.finishReasons = textOf(reason) === undefined ? [] : [String(reason)];
  const metadata = defined({
    container: wordIn(fieldsOf(container)["id"]),
    iterations: iterationsIn(usage),
    context_management: editsIn(message["context_management"]),
  });
  return isEmpty(metadata) ? fields : addFields(fields, { metadata });
}

/** Facts about the service that answered. */
const SERVED = ["service_tier", "inference_geo", "speed"];

/** The text of a message that has one text block, and nothing else. */
function textIn(content: unknown): JsonValue | undefined {
  const [block, ...more] = listOf(content);
  if (block === undefined) return Array.isArray(content) ? "" : undefined;
  const { type, text, ...rest } = fieldsOf(block);
  if (type !== "text" || more.length > 0 || !Object.values(rest).every(isEmpty)) return undefined;
  // Streamed text that did not fit is an object with a digest, and counts as text.
  return typeof text === "string" || isOmission(text) ? snapshot(text) : undefined;
}

/** The models that worked on one answer, where a fallback or a compaction took part. */
function iterationsIn(usage: unknown): JsonValue | undefined {
  const iterations = listOf(fieldsOf(usage)["iterations"]).map((one) =>
    pickStated(fieldsOf(one), [
      "type",
      "model",
      "input_tokens",
      "output_tokens",
      "cache_creation_input_tokens",
      "cache_read_input_tokens",
    ]),
  );
  return iterations.length === 0 ? undefined : snapshot(iterations);
}

function wordIn(value: unknown): string | undefined {
  return typeof value === "string" && isWord(value) ? value : undefined;
}

/** Parts of the conversation that the provider left out. */
function editsIn(management: unknown): JsonValue | undefined {
  const edits = listOf(fieldsOf(management)["applied_edits"]);
  return edits.length === 0
    ? undefined
    : snapshot({ applied_edits: edits.map((edit) => clearFacts(fieldsOf(edit))) });
}
