// Azure OpenAI: `content_filter_results` by category, wherever Azure puts them.
// https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
import { type Fields, fieldsOf, isFields, listOf } from "../../payload/read.ts";
import type { ProviderTable } from "../provider-table.ts";
import type { SafetyReport, Side } from "../report.ts";

const CHECK = "azure:content_filter";

export const azure: ProviderTable = {
  vendor: "azure",
  blocking: { ResponsibleAIPolicyViolation: undefined },

  body(report, body) {
    const { prompt_filter_results: prompts, prompt_annotations: annotations } = body;
    for (const prompt of listOf(prompts ?? annotations))
      filtered(report, fieldsOf(prompt)["content_filter_results"], "input");
    report.keep("prompt_filter_results", prompts);
    report.keep("prompt_annotations", annotations);
    for (const image of listOf(body["data"])) {
      filtered(report, fieldsOf(image)["prompt_filter_results"], "input");
      filtered(report, fieldsOf(image)["content_filter_results"], "output");
    }
  },

  answer(report, answer) {
    filtered(report, resultsOf(answer), "output");
    for (const filter of listOf(answer["content_filters"])) {
      const { source_type: source, blocked, content_filter_results: results } = fieldsOf(filter);
      const at = source === "prompt" || source === "input" ? "input" : "output";
      filtered(report, results, at);
      if (blocked === true) report.code("content_filter", at);
    }
    report.keep("content_filters", answer["content_filters"]);
  },

  error(report, error, at) {
    report.code(innerOf(error)["code"], at);
    const results = errorResults(error);
    filtered(report, results, "input");
    report.keep("content_filter_result", results);
  },
};

/** The filter's results about one answer. */
export function resultsOf(answer: Fields): unknown {
  return answer["content_filter_results"] ?? answer["content_filter_result"];
}

/** In the body of a 400: under `innererror` for text, under `inner_error` for images. */
function innerOf(error: Fields): Fields {
  return fieldsOf(error["innererror"] ?? error["inner_error"]);
}

function errorResults(error: Fields): unknown {
  const inner = innerOf(error);
  return inner["content_filter_result"] ?? inner["content_filter_results"] ?? resultsOf(error);
}

/** `filtered` is a block, `detected` alone a finding. A severity that was let pass is neither. */
function filtered(report: SafetyReport, results: unknown, at: Side): void {
  if (!isFields(results)) return;
  for (const [name, verdict] of Object.entries(results)) {
    if (name === "error") {
      if (isFields(verdict)) report.failed(CHECK, at ?? "input");
      continue;
    }
    report.ran(CHECK);
    // Lists of the customer's own come as an array in older versions of the API.
    const verdicts = Array.isArray(verdict) ? verdict.map(fieldsOf) : [fieldsOf(verdict)];
    const action = verdicts.some((one) => one["filtered"] === true)
      ? "block"
      : verdicts.some((one) => one["detected"] === true)
        ? "flag"
        : undefined;
    if (action) report.found(CHECK, { detector: `azure:${name}`, action, reason: name, at });
  }
}
