// OpenRouter: moderation errors, and the finish reason of the model behind it.
// https://openrouter.ai/docs/api-reference/errors
import { fieldsOf, listOf, pickStated } from "../../payload/read.ts";
import type { ProviderTable } from "../provider-table.ts";

const CHECK = "openrouter:moderation";

export const openrouter: ProviderTable = {
  vendor: "openrouter",
  blocking: {},

  answer(report, answer) {
    report.code(answer["native_finish_reason"], "output");
  },

  // `flagged_input` quotes the prompt, and is not kept.
  error(report, error) {
    const metadata = fieldsOf(error["metadata"]);
    if (!("flagged_input" in metadata)) return;
    for (const reason of listOf(metadata["reasons"])) {
      if (typeof reason !== "string") continue;
      const detector = `${CHECK}:${reason}`;
      report.found(CHECK, { detector, action: "block", reason, at: "input" });
    }
    report.keep("metadata", pickStated(metadata, ["reasons", "provider_name", "model_slug"]));
  },
};
