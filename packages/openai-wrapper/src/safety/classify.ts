// The one classifier: from what a payload or an error says to the safety fields of an entry. Pure.
import { SAFETY_CODES } from "@ai-audit/core";
import { type CapturedFields, judgeCode, type SafetyCodes } from "@ai-audit/core/capture";
import { snapshot } from "../payload/snapshot.ts";
import { defined, fieldsOf, isEmpty, isFields, listOf, pick, textOf } from "../payload/read.ts";
import { azureErrorResults, azureFilter } from "./azure.ts";
import { moderation } from "./moderation.ts";
import type { Observation, Observations } from "./observation.ts";

/** What there is to judge. */
export interface SafetyEvidence {
  /** A successful response's JSON, or what a stream amounted to, in the same shape. */
  readonly body?: unknown;
  /** The `error` object of a failed one. */
  readonly error?: unknown;
}

/**
 * The safety fields of an entry, and `outcome: "blocked"` where every answer was stopped.
 *
 * `detectorsTriggered` holds `openai:content_filter`, `openai:refusal`, `openai:moderation`,
 * `openai:moderation:<category>`, `openai:<code>`, `openai:suspected:<code>`, `azure:<category>`; `safetyChecks` the
 * checks that ran; `metadata.blocked_at` is `input` or `output`; `metadata.safety` keeps the raw verdicts under
 * the provider's names. No field holds content.
 */
export function classifySafety(
  evidence: SafetyEvidence,
  codes: SafetyCodes = SAFETY_CODES,
): CapturedFields {
  const all: Observations = [];
  observeBody(all, fieldsOf(evidence.body), codes);
  if (evidence.error !== undefined) observeError(all, evidence.error, codes);
  const raw = rawVerdicts(evidence);
  if (all.length === 0 && isEmpty(raw)) return {};
  const seen = all.filter((one) => "check" in one);
  const findings = seen.flatMap(({ at, finding }) => (finding ? [{ at, ...finding }] : []));
  const blocks = findings.filter(({ action }) => action === "block");
  const first = blocks[0];
  const failed = all.flatMap((one) =>
    "failed" in one ? [`ai-audit: ${one.failed} did not run`] : [],
  );
  const metadata = {
    // A prompt that was stopped has no answer that could have been.
    ...(first && { blocked_at: blocks.some(({ at }) => at === "input") ? "input" : "output" }),
    ...(!isEmpty(raw) && { safety: snapshot(raw) }),
  };
  return defined({
    safetyPassed: findings.length > 0 ? false : undefined,
    detectorsTriggered: someOf(findings.map(({ detector }) => detector)),
    safetyChecks: someOf(seen.map(({ check }) => check)),
    blockReason: someOf(blocks.map(({ reason }) => reason))?.join(", "),
    alerts: someOf(failed),
    outcome: first && stopsAll(blocks, evidence.body) ? ("blocked" as const) : undefined,
    metadata: isEmpty(metadata) ? undefined : metadata,
  });
}

function someOf(values: readonly string[]): readonly string[] | undefined {
  return values.length > 0 ? [...new Set(values)] : undefined;
}

/** A block that concerns one choice leaves the others. */
function stopsAll(
  blocks: readonly { readonly choice?: number | undefined }[],
  body: unknown,
): boolean {
  const stopped = new Set(blocks.map(({ choice }) => choice));
  return stopped.has(undefined) || stopped.size >= listOf(fieldsOf(body)["choices"]).length;
}

function observeBody(
  found: Observations,
  body: Readonly<Record<string, unknown>>,
  codes: SafetyCodes,
): void {
  for (const prompt of listOf(body["prompt_filter_results"] ?? body["prompt_annotations"])) {
    azureFilter(found, fieldsOf(prompt)["content_filter_results"], "input");
  }
  listOf(body["choices"]).forEach((choice, index) =>
    observeChoice(found, fieldsOf(choice), index, codes),
  );
  if (isFields(body["moderation"])) {
    const { input, output } = body["moderation"];
    moderation(found, input, "input");
    moderation(found, output, "output");
  }
  // The moderation endpoint's own result is about what was sent to it.
  const results = listOf(body["results"]);
  if (results.some((result) => "flagged" in fieldsOf(result))) moderation(found, results, "input");
  observeResponse(found, body, codes);
  for (const image of listOf(body["data"])) {
    azureFilter(found, fieldsOf(image)["prompt_filter_results"], "input");
    azureFilter(found, fieldsOf(image)["content_filter_results"], "output");
  }
}

function observeChoice(
  found: Observations,
  choice: Readonly<Record<string, unknown>>,
  index: number,
  codes: SafetyCodes,
): void {
  const reason = choice["finish_reason"];
  if (typeof reason === "string" && judgeCode(reason, codes) === "block")
    found.push(block(reason, "output", index));
  if (textOf(fieldsOf(choice["message"])["refusal"])) found.push(block("refusal", "output", index));
  const filter = choice["content_filter_results"] ?? choice["content_filter_result"];
  if (filter !== undefined) azureFilter(found, filter, "output", index);
}

/** Responses: status, refusals among the output, Azure's `content_filters`. */
function observeResponse(
  found: Observations,
  body: Readonly<Record<string, unknown>>,
  codes: SafetyCodes,
): void {
  const reason = fieldsOf(body["incomplete_details"])["reason"];
  if (typeof reason === "string" && judgeCode(reason, codes) === "block")
    found.push(block(reason, "output"));
  if (isFields(body["error"])) observeError(found, body["error"], codes);
  for (const item of listOf(body["output"])) {
    const { content, error } = fieldsOf(item);
    if (listOf(content).some((part) => fieldsOf(part)["type"] === "refusal"))
      found.push(block("refusal", "output"));
    if (isFields(error)) observeError(found, error, codes);
  }
  for (const filter of listOf(body["content_filters"])) {
    const { source_type: source, blocked, content_filter_results: results } = fieldsOf(filter);
    const at = source === "prompt" || source === "input" ? "input" : "output";
    azureFilter(found, results, at);
    if (blocked === true) found.push(block("content_filter", at));
  }
}

function observeError(found: Observations, error: unknown, codes: SafetyCodes): void {
  if (!isFields(error)) return;
  const { innererror, inner_error: innerError, moderation_details: details } = error;
  const { moderation_stage: stage, categories } = fieldsOf(details);
  const at = stage === "output" ? "output" : "input";
  for (const code of [error["code"], fieldsOf(innererror ?? innerError)["code"]]) {
    const verdict = judgeCode(code, codes);
    if (typeof code !== "string" || verdict === undefined) continue;
    const suspicion = { detector: `openai:suspected:${code}`, action: verdict, reason: code };
    found.push(
      verdict === "block" ? block(code, at) : { check: "openai:policy", at, finding: suspicion },
    );
  }
  azureFilter(found, azureErrorResults(error), "input");
  for (const name of listOf(categories)) {
    if (typeof name !== "string") continue;
    const detector = `openai:moderation:${name}`;
    found.push({
      check: "openai:moderation",
      at,
      finding: { detector, action: "block", reason: name },
    });
  }
}

function block(reason: string, at: "input" | "output", choice?: number): Observation {
  const detector = `openai:${reason}`;
  return { check: detector, at, finding: { detector, action: "block", reason, choice } };
}

/** Verdicts as they came: categories, severities, scores. No member of these holds content. */
function rawVerdicts({ body, error }: SafetyEvidence): Record<string, unknown> {
  const fields = fieldsOf(body);
  const raw = pick(fields, VERDICTS);
  const choices = listOf(fields["choices"]).map((choice) => {
    const { content_filter_results: results, content_filter_result: older } = fieldsOf(choice);
    return results ?? older ?? null;
  });
  if (choices.some((results) => !isEmpty(results))) raw["content_filter_results"] = choices;
  if (isFields(error)) {
    const { moderation_details: details } = error;
    Object.assign(
      raw,
      pick(
        { content_filter_result: azureErrorResults(error), moderation_details: details },
        OF_ERROR,
      ),
    );
  }
  if (isFields(fields["error"])) Object.assign(raw, pick(fields["error"], ["moderation_details"]));
  return raw;
}

const VERDICTS = ["prompt_filter_results", "prompt_annotations", "moderation", "content_filters"];
const OF_ERROR = ["content_filter_result", "moderation_details"];
