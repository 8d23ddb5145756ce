// Gemini, on the Gemini API and on Vertex AI: block reasons, finish reasons and safety ratings.
// https://ai.google.dev/api/generate-content
import { fieldsOf, listOf, textOf } from "../../payload/read.ts";
import type { ProviderTable } from "../provider-table.ts";
import type { SafetyReport, Side } from "../report.ts";

const CHECK = "gemini:safety_ratings";
const PROMPT = "gemini:prompt_feedback";

export const gemini: ProviderTable = {
  vendor: "gemini",
  blocking: {
    SAFETY: undefined,
    RECITATION: undefined,
    LANGUAGE: undefined,
    BLOCKLIST: undefined,
    PROHIBITED_CONTENT: undefined,
    SPII: undefined,
    JAILBREAK: undefined,
    MODEL_ARMOR: undefined,
    IMAGE_SAFETY: undefined,
    IMAGE_PROHIBITED_CONTENT: undefined,
    IMAGE_RECITATION: undefined,
  },

  body(report, body) {
    feedback(report, fieldsOf(body["promptFeedback"]));
    report.keep("promptFeedback", body["promptFeedback"]);
  },

  answer(report, { safetyRatings }) {
    rated(report, safetyRatings, "output");
    report.keep("safetyRatings", safetyRatings);
  },

  // SDKs throw when there is no answer, and say why in these members.
  error(report, error) {
    feedback(report, error);
    feedback(report, fieldsOf(error["promptFeedback"]));
    report.code(error["finishReason"], "output");
  },
};

/** A prompt with any block reason was stopped, also with one that is not listed. */
function feedback(
  report: SafetyReport,
  { blockReason, safetyRatings }: Readonly<Record<string, unknown>>,
): void {
  const reason = textOf(blockReason);
  if (reason !== undefined && !reason.endsWith("UNSPECIFIED")) {
    const detector = `gemini:${reason}`;
    report.found(PROMPT, { detector, action: "block", reason, at: "input" });
  }
  rated(report, safetyRatings, reason === undefined ? undefined : "input");
}

function rated(report: SafetyReport, ratings: unknown, at: Side): void {
  for (const rating of listOf(ratings)) {
    const { category, blocked } = fieldsOf(rating);
    if (typeof category !== "string") continue;
    report.ran(CHECK);
    if (blocked !== true) continue;
    report.found(CHECK, { detector: `gemini:${category}`, action: "block", reason: category, at });
  }
}
