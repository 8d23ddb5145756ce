// Safety fields of model calls: filters, refusals and policy errors, in one vocabulary.
import { type CapturedFields, judgeCode, type SafetyCodes } from "@ai-audit/core/capture";
import {
  defined,
  type Fields,
  fieldsOf,
  firstText,
  isEmpty,
  isFields,
  listOf,
  textOf,
} from "./read.ts";

/** One finding of a filter, a policy or the model itself. */
interface Finding {
  readonly detector: string;
  readonly reason: string;
  readonly at: "input" | "output";
  readonly blocks: boolean;
  /** Concluded from what is missing, not said by anybody. */
  readonly inferred?: boolean;
}

/** Safety fields of an answer. `candidates` are messages with their generation info. */
export function answerSafety(
  candidates: readonly { readonly message: Fields; readonly info: Fields; readonly text: string }[],
  provider: string,
  codes: SafetyCodes,
): CapturedFields {
  const perCandidate = candidates.map((candidate) => findingsOf(candidate, provider, codes));
  const findings = perCandidate.flat();
  // What stops one of several candidates leaves an answer.
  const blocked =
    perCandidate.length > 0 && perCandidate.every((own) => own.some(({ blocks }) => blocks));
  return safetyFields(findings, blocked, rawOf(candidates));
}

/** Safety fields of an error that a provider answered with. */
export function errorSafety(error: unknown, provider: string, codes: SafetyCodes): CapturedFields {
  const fields = fieldsOf(error);
  const body = fieldsOf(fields["error"]);
  const inner = fieldsOf(body["innererror"] ?? body["inner_error"] ?? fields["innererror"]);
  const results = fieldsOf(inner["content_filter_result"] ?? inner["content_filter_results"]);
  const findings: Finding[] = azureFindings(results, "input");
  const given = [fields["code"], body["code"], body["type"], inner["code"], fields["name"]].flatMap(
    (one) => textOf(one) ?? [],
  );
  const code =
    given.find((one) => judgeCode(one, codes) === "block") ??
    given.find((one) => judgeCode(one, codes) === "suspect");
  if (code !== undefined) findings.push(codeFinding(code, "input", provider, codes));
  const raw = {
    ...(!isEmpty(results) && { content_filter_results: results }),
    ...defined({ moderation_details: body["moderation_details"] }),
  };
  return safetyFields(
    findings,
    findings.some(({ blocks }) => blocks),
    raw,
  );
}

function findingsOf(
  {
    message,
    info,
    text,
  }: { readonly message: Fields; readonly info: Fields; readonly text: string },
  provider: string,
  codes: SafetyCodes,
): Finding[] {
  const response = fieldsOf(message["response_metadata"]);
  const findings: Finding[] = [
    ...listOf(response["prompt_filter_results"] ?? info["prompt_filter_results"]).flatMap(
      (prompt) => azureFindings(fieldsOf(fieldsOf(prompt)["content_filter_results"]), "input"),
    ),
    ...azureFindings(
      fieldsOf(response["content_filter_results"] ?? info["content_filter_results"]),
      "output",
    ),
  ];
  for (const reason of finishReasonsOf(message, info)) {
    if (judgeCode(reason, codes) !== undefined)
      findings.push(codeFinding(reason, "output", provider, codes));
  }
  if (refuses(message)) {
    findings.push({
      detector: `${vendorOf(provider)}:refusal`,
      reason: "refusal",
      at: "output",
      blocks: true,
    });
  }
  if (findings.length === 0 && seemsRefused(message, info, text)) {
    findings.push({
      detector: "possible_refusal",
      reason: "possible_refusal",
      at: "output",
      blocks: false,
      inferred: true,
    });
  }
  return findings;
}

function codeFinding(
  code: string,
  at: "input" | "output",
  provider: string,
  codes: SafetyCodes,
): Finding {
  const blocks = judgeCode(code, codes) === "block";
  return {
    detector: `${vendorOf(provider)}:${blocks ? "" : "suspected:"}${code}`,
    reason: code,
    at,
    blocks,
  };
}

/** Whose codes they are: Azure's own findings come with its categories, its codes are OpenAI's. */
function vendorOf(provider: string): string {
  return provider.startsWith("azure") ? "openai" : provider;
}

/** Why a candidate ended, under the provider's names. */
export function finishReasonsOf(message: Fields, info: Fields): string[] {
  const response = fieldsOf(message["response_metadata"]);
  const incomplete = textOf(fieldsOf(response["incomplete_details"])["reason"]);
  const reason =
    incomplete ??
    firstText(
      response["finish_reason"],
      info["finish_reason"],
      response["stop_reason"],
      response["finishReason"],
      info["finishReason"],
      response["status"],
    );
  return reason === undefined ? [] : [reason];
}

function refuses(message: Fields): boolean {
  if (textOf(fieldsOf(message["additional_kwargs"])["refusal"]) !== undefined) return true;
  return listOf(message["content"]).some((block) => {
    const { type, value } = fieldsOf(block);
    return type === "refusal" || (type === "non_standard" && fieldsOf(value)["type"] === "refusal");
  });
}

/**
 * LangChain drops the `refusal` of a Chat Completions message: what is left is an ordinary end with paid output
 * tokens and nothing said.
 */
function seemsRefused(message: Fields, info: Fields, text: string): boolean {
  const reasons = finishReasonsOf(message, info);
  const usage = fieldsOf(message["usage_metadata"]);
  const spent = usage["output_tokens"];
  const reasoned = fieldsOf(usage["output_token_details"])["reasoning"];
  return (
    text === "" &&
    (message["content"] === "" || listOf(message["content"]).length === 0) &&
    listOf(message["tool_calls"]).length === 0 &&
    listOf(message["invalid_tool_calls"]).length === 0 &&
    !fieldsOf(message["additional_kwargs"])["function_call"] &&
    !fieldsOf(message["additional_kwargs"])["audio"] &&
    reasons.includes("stop") &&
    typeof spent === "number" &&
    spent > (typeof reasoned === "number" ? reasoned : 0)
  );
}

/** Azure: `filtered` is a block, `detected` without it a finding. */
function azureFindings(results: Fields, at: "input" | "output"): Finding[] {
  return Object.entries(results).flatMap(([category, verdict]) => {
    const { filtered, detected } = fieldsOf(verdict);
    if (filtered !== true && detected !== true) return [];
    return [{ detector: `azure:${category}`, reason: category, at, blocks: filtered === true }];
  });
}

function rawOf(candidates: readonly { readonly message: Fields }[]): Fields {
  const [first] = candidates;
  const response = fieldsOf(first?.message["response_metadata"]);
  return defined({
    prompt_filter_results: response["prompt_filter_results"],
    content_filter_results: response["content_filter_results"],
    incomplete_details: isFields(response["incomplete_details"])
      ? response["incomplete_details"]
      : undefined,
  });
}

/** Findings as fields of an entry. */
function safetyFields(findings: readonly Finding[], blocked: boolean, raw: Fields): CapturedFields {
  if (findings.length === 0) return isEmpty(raw) ? {} : { metadata: { safety: raw } };
  const stopping = findings.filter(({ blocks }) => blocks);
  const inferred = findings.filter((finding) => finding.inferred).map(({ detector }) => detector);
  return {
    safetyPassed: false,
    detectorsTriggered: [...new Set(findings.map(({ detector }) => detector))],
    ...(stopping.length > 0 && {
      blockReason: [...new Set(stopping.map(({ reason }) => reason))].join(", "),
    }),
    ...(blocked && { outcome: "blocked" as const }),
    metadata: {
      ...(stopping.length > 0 && {
        blocked_at: stopping.some(({ at }) => at === "input") ? "input" : "output",
      }),
      ...(inferred.length > 0 && { inferred }),
      ...(!isEmpty(raw) && { safety: raw }),
    },
  };
}
