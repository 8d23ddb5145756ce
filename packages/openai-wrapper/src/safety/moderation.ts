// OpenAI's moderation: results of its own endpoint, and those that come beside an answer. A finding, never a block.
import { fieldsOf, isFields, listOf } from "../payload/read.ts";
import type { Observations } from "./observation.ts";

const CHECK = "openai:moderation";

/** Adds what is in one moderation result, a list of them, or the error in its place. */
export function moderation(found: Observations, results: unknown, at: "input" | "output"): void {
  for (const result of resultsOf(results)) {
    const fields = fieldsOf(result);
    if (typeof fields["flagged"] !== "boolean") {
      found.push({ failed: `${CHECK} (${at})` });
      continue;
    }
    found.push({ check: CHECK, at });
    if (!fields["flagged"]) continue;
    found.push({
      check: CHECK,
      at,
      finding: { detector: CHECK, action: "flag", reason: "flagged" },
    });
    for (const [name, hit] of Object.entries(fieldsOf(fields["categories"]))) {
      if (hit === true) {
        found.push({
          check: CHECK,
          at,
          finding: { detector: `${CHECK}:${name}`, action: "flag", reason: name },
        });
      }
    }
  }
}

/** Chat has `{ results: […] }` at each end, Responses the result itself. */
function resultsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return listOf(value);
  if (!isFields(value)) return [];
  return Array.isArray(value["results"]) ? listOf(value["results"]) : [value];
}
