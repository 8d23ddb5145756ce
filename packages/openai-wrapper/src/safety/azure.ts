// Azure's content filter: `content_filter_results` by category, wherever Azure puts them.
// https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
import { fieldsOf, isFields, listOf } from "../payload/read.ts";
import type { Observations } from "./observation.ts";

const CHECK = "azure:content_filter";

/**
 * Adds what `content_filter_results` says. `filtered` is a block, `detected` without `filtered` a finding; a severity
 * that was let pass is neither.
 */
export function azureFilter(
  found: Observations,
  results: unknown,
  at: "input" | "output",
  choice?: number,
): void {
  if (!isFields(results)) return;
  const categories = Object.entries(results);
  if (isFields(results["error"])) found.push({ failed: `${CHECK} (${at})` });
  if (categories.some(([name]) => name !== "error")) found.push({ check: CHECK, at });
  for (const [name, verdict] of categories) {
    if (name === "error") continue;
    // Lists of the customer's own come as an array in older versions of the API.
    const verdicts = Array.isArray(verdict) ? listOf(verdict).map(fieldsOf) : [fieldsOf(verdict)];
    const action = verdicts.some((one) => one["filtered"] === true)
      ? "block"
      : verdicts.some((one) => one["detected"] === true)
        ? "flag"
        : undefined;
    if (action)
      found.push({
        check: CHECK,
        at,
        finding: { detector: `azure:${name}`, action, reason: name, choice },
      });
  }
}

/** The filter's results in the body of a 400: under `innererror` for text, under `inner_error` for images. */
export function azureErrorResults(error: unknown): unknown {
  const fields = fieldsOf(error);
  const inner = fieldsOf(fields["innererror"] ?? fields["inner_error"]);
  return (
    inner["content_filter_result"] ??
    inner["content_filter_results"] ??
    fields["content_filter_results"]
  );
}
