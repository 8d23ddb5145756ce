// The one classifier: from a payload or an error to the safety fields of an entry. Pure.
import type { CapturedFields } from "../fields.ts";
import { type Fields, fieldsOf, firstText, isEmpty, isFields, listOf } from "../payload/read.ts";
import type { SafetyCodes } from "./codes.ts";
import type { ProviderTable } from "./provider-table.ts";
import { anthropic } from "./providers/anthropic.ts";
import { azure, resultsOf } from "./providers/azure.ts";
import { bedrock } from "./providers/bedrock.ts";
import { alibaba, cohere, zhipu } from "./providers/compatible.ts";
import { gemini } from "./providers/gemini.ts";
import { mistral } from "./providers/mistral.ts";
import { openai } from "./providers/openai.ts";
import { openrouter } from "./providers/openrouter.ts";
import { type CodeOwner, SafetyReport, type Side } from "./report.ts";

/** In this order they read, and in this order their detectors stand in an entry. */
const TABLES: readonly ProviderTable[] = [
  openai,
  azure,
  anthropic,
  gemini,
  bedrock,
  mistral,
  openrouter,
  alibaba,
  zhipu,
  cohere,
];

const OWNERS: ReadonlyMap<string, CodeOwner> = new Map(
  TABLES.flatMap(({ vendor, blocking }) =>
    Object.entries(blocking).map(([code, at]) => [code, { vendor, at }] as const),
  ),
);

/** The codes of all tables; unknown ones that mention policy, safety or filters are suspected. */
export const SAFETY_CODES: SafetyCodes = {
  blocking: [...OWNERS.keys()],
  suspected:
    /polic(?:y|ies)|safety|moderation|guardrail|prohibited|blocklist|refusal|content_?filter|harmful|unsafe|jailbreak/i,
};

/** The payload to judge. */
export interface SafetyEvidence {
  /** The JSON of an answer, or the joined stream, in the provider's shape. */
  readonly body?: unknown;
  /**
   * The answers, where the host takes the body apart: each with its finish reason and verdicts
   * under the provider's names. @default the body's `choices` or `candidates`, else the body itself
   */
  readonly answers?: readonly Fields[];
  /** The error object of a failed call. */
  readonly error?: unknown;
  /** The model had begun to answer when the error came. */
  readonly answered?: boolean | undefined;
  /** Whose protocol the host speaks: the vendor of codes that no table lists. @default "openai" */
  readonly vendor?: string | undefined;
  /** Conclusions of the host's wrapper from missing members, such as `possible_refusal`. */
  readonly inferred?: string | undefined;
}

/**
 * The safety fields of an entry, and `outcome: "blocked"` where every answer was stopped. It
 * gives no other outcome: write `mergeFields({ outcome: "ok" }, classifySafety(…))`.
 *
 * `detectorsTriggered` holds `<vendor>:<code>`, `<vendor>:<category>`, `openai:refusal`,
 * `openai:moderation:<category>`, `<vendor>:suspected:<code>`; `safetyChecks` the checks that ran,
 * with that of every detector listed. A code that a table lists has that table's vendor, from any
 * sender: `content_filter` is `openai:content_filter`. `metadata.blocked_at` and
 * `metadata.modified_at` are `input` or `output`, and absent where the provider does not tell.
 * `metadata.safety` keeps the verdicts under the provider's names. No field holds content.
 */
export function classifySafety(
  evidence: SafetyEvidence,
  codes: SafetyCodes = SAFETY_CODES,
): CapturedFields {
  const { vendor = "openai", error, inferred } = evidence;
  const report = new SafetyReport({ codes, ownerOf, vendor });
  const body = fieldsOf(evidence.body);
  const answers = evidence.answers ?? answersIn(body);
  for (const table of TABLES) table.body?.(report, body);
  answers.forEach((answer, index) => {
    report.answer = answer === body ? undefined : index;
    readAnswer(report, answer);
  });
  report.answer = undefined;
  const verdicts = answers.map((answer) => resultsOf(answer) ?? null);
  if (answers[0] !== body && !verdicts.every(isEmpty))
    report.keep("content_filter_results", verdicts);
  const at = evidence.answered ? "output" : undefined;
  if (answers[0] !== body && isFields(body["error"])) readError(report, body["error"], at);
  if (isFields(error)) readError(report, error, at);
  if (inferred !== undefined) report.inferred(inferred, undefined);
  return report.fields(answers.length);
}

function ownerOf(code: string): CodeOwner | undefined {
  return OWNERS.get(code);
}

function answersIn(body: Fields): readonly Fields[] {
  const list = body["choices"] ?? body["candidates"];
  if (Array.isArray(list)) return list.map(fieldsOf);
  return Object.keys(body).length > 0 ? [body] : [];
}

function readAnswer(report: SafetyReport, answer: Fields): void {
  const changesOnly = TABLES.some((table) => table.changesOnly?.(answer) === true);
  report.code(finishReasonOf(answer), "output", changesOnly);
  for (const table of TABLES) table.answer?.(report, answer);
  const at = listOf(answer["output"]).length > 0 ? "output" : undefined;
  if (isFields(answer["error"])) readError(report, answer["error"], at);
  for (const item of listOf(answer["output"])) {
    const { error } = fieldsOf(item);
    if (isFields(error)) readError(report, error, "output");
  }
}

function readError(report: SafetyReport, error: Fields, at: Side): void {
  const side = error["param"] === "prompt" ? "input" : at;
  report.code(error["code"], side);
  report.code(error["type"], side);
  for (const table of TABLES) table.error?.(report, error, side);
}

/** Why an answer ended, in the provider's word: the spellings of all of them. */
export function finishReasonOf(answer: Fields): string | undefined {
  return firstText(
    fieldsOf(answer["incomplete_details"])["reason"],
    answer["finish_reason"],
    answer["stop_reason"],
    answer["finishReason"],
    answer["stopReason"],
    fieldsOf(answer["messageStop"])["stopReason"],
    answer["done_reason"],
    answer["status"],
  );
}
