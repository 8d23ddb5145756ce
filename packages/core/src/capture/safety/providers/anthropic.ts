// Anthropic: stop reasons, and one error that only its message tells from others.
// https://docs.claude.com/en/api/handling-stop-reasons
import { fieldsOf, listOf, pickStated, textOf } from "../../payload/read.ts";
import type { ProviderTable } from "../provider-table.ts";

const REFUSAL = "anthropic:refusal";
const FILTER = "anthropic:content_filtering_policy";

export const anthropic: ProviderTable = {
  vendor: "anthropic",
  // `pause_turn` and `model_context_window_exceeded` are no blocks.
  blocking: { refusal: "output", content_filtering_policy: "output" },

  answer(report, answer) {
    const { stop_details: details, content } = answer;
    const category = textOf(fieldsOf(details)["category"]);
    if (category !== undefined) {
      const detector = `anthropic:${category}`;
      report.found(REFUSAL, { detector, action: "block", reason: category, at: "output" });
    }
    // The explanation is prose about the content, and so content itself.
    report.explain(fieldsOf(details)["explanation"]);
    report.keep("stop_details", pickStated(fieldsOf(details), ["type", "category"]));
    // One model refused, and its fallback answered.
    if (listOf(content).some((block) => fieldsOf(block)["type"] === "fallback"))
      report.found(REFUSAL, {
        detector: REFUSAL,
        action: "flag",
        reason: "fallback",
        at: "output",
      });
  },

  error(report, error) {
    const message = textOf(error["message"]);
    if (message === undefined || !/blocked by content filtering policy/i.test(message)) return;
    const at = /^output/i.test(message) ? "output" : undefined;
    const reason = "content_filtering_policy";
    report.found(FILTER, { detector: FILTER, action: "block", reason, at });
  },
};
