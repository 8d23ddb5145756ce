// OpenAI: filters, refusals, policies and moderation.
// https://platform.openai.com/docs/api-reference, openai-node `ResponseError.code`
import type { ContentSide } from "../detector.ts";
import { type Fields, fieldsOf, isFields, listOf, pickStated, textOf } from "../../payload/read.ts";
import type { ProviderTable } from "../provider-table.ts";
import type { SafetyReport, Side } from "../report.ts";

const MODERATION = "openai:moderation";
const REFUSAL = "openai:refusal";
const MISALIGNMENT = "openai:misalignment";

export const openai: ProviderTable = {
  vendor: "openai",
  blocking: {
    content_filter: undefined,
    content_policy_violation: undefined,
    moderation_blocked: undefined,
    image_content_policy_violation: undefined,
    cyber_policy: undefined,
    bio_policy: undefined,
    misalignment_policy_violation: undefined,
    invalid_prompt: "input",
  },

  body(report, body) {
    const { moderation, results } = body;
    if (isFields(moderation)) {
      moderated(report, moderation["input"], "input");
      moderated(report, moderation["output"], "output");
      report.keep("moderation", moderation);
    }
    // The moderation endpoint's own result is about what was sent to it.
    if (listOf(results).some((result) => "flagged" in fieldsOf(result)))
      moderated(report, results, "input");
  },

  answer(report, answer) {
    if (textOf(fieldsOf(answer["message"])["refusal"])) refused(report);
    for (const item of listOf(answer["output"])) outputItem(report, fieldsOf(item));
  },

  error(report, error, at) {
    const { moderation_details: details, misalignment } = error;
    const { moderation_stage: stage, categories } = fieldsOf(details);
    const side = stage === "output" || stage === "input" ? stage : at;
    for (const name of listOf(categories)) {
      if (typeof name !== "string") continue;
      const detector = `${MODERATION}:${name}`;
      report.found(MODERATION, { detector, action: "block", reason: name, at: side });
    }
    report.keep("moderation_details", details);
    if (!isFields(misalignment)) return;
    const { error_type: type } = misalignment;
    const reason = textOf(type) ?? "misalignment";
    const detector = type === undefined ? MISALIGNMENT : `${MISALIGNMENT}:${reason}`;
    report.found(MISALIGNMENT, { detector, action: "block", reason, at });
    report.keep("misalignment", pickStated(misalignment, ["error_type", "review_target", "steer"]));
  },
};

function refused(report: SafetyReport): void {
  report.found(REFUSAL, { detector: REFUSAL, action: "block", reason: "refusal", at: "output" });
}

/** An item of a Responses output. */
function outputItem(report: SafetyReport, item: Fields): void {
  const { content, pending_safety_checks: pending } = item;
  if (listOf(content).some((part) => fieldsOf(part)["type"] === "refusal")) refused(report);
  // Computer use waits for a person to acknowledge these.
  for (const check of listOf(pending)) {
    const { code } = fieldsOf(check);
    const reason = textOf(code) ?? "pending_safety_check";
    const detector = `openai:computer_safety:${reason}`;
    report.found("openai:computer_safety", { detector, action: "flag", reason, at: "output" });
  }
  report.quote("pending_safety_checks", pending);
}

/** One moderation result, a list of them, or the error in its place. A finding, never a block. */
function moderated(report: SafetyReport, results: unknown, at: ContentSide): void {
  for (const result of resultsOf(results)) {
    const { flagged, categories } = fieldsOf(result);
    if (typeof flagged !== "boolean") {
      report.failed(MODERATION, at);
      continue;
    }
    report.ran(MODERATION);
    if (!flagged) continue;
    flag(report, MODERATION, "flagged", at);
    for (const [name, hit] of Object.entries(fieldsOf(categories)))
      if (hit === true) flag(report, `${MODERATION}:${name}`, name, at);
  }
}

function flag(report: SafetyReport, detector: string, reason: string, at: Side): void {
  report.found(MODERATION, { detector, action: "flag", reason, at });
}

/** Chat has `{ results: […] }` at each end, Responses the result itself. */
function resultsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return listOf(value);
  if (!isFields(value)) return [];
  return Array.isArray(value["results"]) ? listOf(value["results"]) : [value];
}
