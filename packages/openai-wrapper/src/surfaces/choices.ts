// Responses with `choices`: chat completions and completions.
import {
  type CapturedFields,
  type Fields,
  type GrowingFields,
  type JsonValue,
  LogprobsDigest,
  addFields,
  defined,
  fieldsOf,
  isEmpty,
  isFailureReason,
  isFields,
  logprobsMetadata,
  noAnswerFields,
  isWord,
  providerErrorFields,
  snapshot,
  textOf,
  usageFields,
} from "@ai-audit/core/capture";
import {
  envelopeFields,
  type ExtractOptions,
  responseFields,
  SERVED_FACTS,
} from "@ai-audit/core/sdk";

/** The fields of complete choices, in the wire's shape; `body` is what is around them. */
export function choicesFields(
  output: JsonValue,
  choices: readonly Fields[],
  body: Fields,
  options: ExtractOptions,
  digests: readonly LogprobsDigest[] = choices.map(({ logprobs }) => digestOf(logprobs, options)),
): GrowingFields {
  const { facts, content } = membersBeside(body);
  const fields = responseFields(
    isEmpty(content) ? output : snapshot({ output, ...content }),
    { body: "choices" in body ? body : { ...body, choices } },
    options,
  );
  addFields(fields, usageFields(usageIn(body, choices)));
  addFields(fields, envelopeFields(body, facts));
  fields.finishReasons = choices.flatMap((choice) => textOf(choice["finish_reason"]) ?? []);
  addFields(fields, { metadata: logprobsMetadata(digests) });
  // A stream without choices may not have begun to answer: its end decides.
  const isWhole = "choices" in body;
  if (isWhole && choices.length === 0 && fields.outcome === undefined) return noAnswerIn(fields);
  return addFields(fields, errorIn(body, choices, options));
}

function noAnswerIn(fields: GrowingFields): GrowingFields {
  const { safetyPassed } = fields;
  return addFields(fields, noAnswerFields(defined({ safetyPassed })));
}

/** Errors inside of a 200: around the choices, or in each of them. */
function errorIn(
  body: Fields,
  choices: readonly Fields[],
  options: ExtractOptions,
): CapturedFields {
  const errors = choices.map((choice) => choice["error"]).filter(isFields);
  const failed = choices.filter(
    ({ finish_reason: reason, error }) => isFailureReason(reason) || isFields(error),
  );
  if (!isFields(body["error"]) && failed.length === 0) return {};
  const error = body["error"] ?? errors[0] ?? { code: failed[0]?.["finish_reason"] };
  const { outcome, ...said } = providerErrorFields(error, { codes: options.safetyCodes });
  // An error of one choice leaves the others.
  return failed.length < choices.length && !isFields(body["error"]) ? said : { outcome, ...said };
}

/** Around the choices; Groq has it in its own member, Moonshot in the last choice. */
function usageIn(body: Fields, choices: readonly Fields[]): unknown {
  return body["usage"] ?? fieldsOf(body["x_groq"])["usage"] ?? choices.at(-1)?.["usage"];
}

function digestOf(logprobs: unknown, options: ExtractOptions): LogprobsDigest {
  const digest = new LogprobsDigest();
  if (!options.captureLogprobs) digest.push(logprobs);
  return digest;
}

/** Members of a response that the fields of an entry have, or that have no meaning. */
const KNOWN_MEMBERS: ReadonlySet<string> = new Set([
  "choices",
  "created",
  "data",
  "error",
  "id",
  "model",
  "moderation",
  "object",
  "obfuscation",
  "prompt_annotations",
  "prompt_filter_results",
  "results",
  "usage",
  "x_groq",
]);

/** Members of a host's own: facts (`provider`, numbers), and content (`citations`). */
function membersBeside(body: Fields): { readonly facts: Fields; readonly content: Fields } {
  const facts: Record<string, unknown> = {};
  const content: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    if (KNOWN_MEMBERS.has(name) || isEmpty(value)) continue;
    const isFact =
      typeof value === "string" ? FACTS.has(name) && isWord(value) : typeof value !== "object";
    (isFact ? facts : content)[name] = value;
  }
  return { facts, content };
}

/** Members with the name of a service or a version. Any other text may quote content. */
const FACTS: ReadonlySet<string> = new Set([
  ...SERVED_FACTS,
  "inference_geo",
  "provider",
  "region",
]);
