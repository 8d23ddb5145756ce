// What chat completions and completions share: a response with `choices`.
import {
  type CapturedFields,
  type Fields,
  type GrowingFields,
  type JsonValue,
  LogprobsDigest,
  addFields,
  isEmpty,
  logprobsMetadata,
  pickStated,
  snapshot,
  textOf,
  usageFields,
} from "@ai-audit/core/capture";
import type { ExtractOptions } from "./contract.ts";
import { responseFields } from "./fields.ts";

/** The fields of complete choices, in the wire's shape; `body` is what is around them. */
export function choicesFields(
  output: JsonValue,
  choices: readonly Fields[],
  body: Fields,
  options: ExtractOptions,
  digests: readonly LogprobsDigest[] = choices.map(({ logprobs }) => digestOf(logprobs, options)),
): GrowingFields {
  const fields = responseFields(
    output,
    { body: "choices" in body ? body : { ...body, choices } },
    options,
  );
  addFields(fields, usageFields(body["usage"]));
  addFields(fields, envelopeFields(body));
  fields.finishReasons = choices.flatMap((choice) => textOf(choice["finish_reason"]) ?? []);
  return addFields(fields, { metadata: logprobsMetadata(digests) });
}

function digestOf(logprobs: unknown, options: ExtractOptions): LogprobsDigest {
  const digest = new LogprobsDigest();
  if (!options.captureLogprobs) digest.push(logprobs);
  return digest;
}

const SERVED = ["system_fingerprint", "service_tier"];

/** What a response says of itself. */
export function envelopeFields(body: Fields): CapturedFields {
  const served = pickStated(body, SERVED);
  return {
    responseId: textOf(body["id"]),
    responseModel: textOf(body["model"]),
    metadata: isEmpty(served) ? undefined : { served: snapshot(served) },
  };
}
