// People's decisions about tool calls of an agent's session, which a program sends as events.
import {
  type CapturedFields,
  defined,
  type Fields,
  fieldsOf,
  listOf,
  RecentMap,
  textOf,
} from "@ai-audit/core/capture";

/** A request that is sent again repeats its decisions: the latest are known. */
const MAX_KNOWN = 2000;

/** The confirmations that one client and its clones have sent. */
export class ToolConfirmations {
  readonly #decided = new RecentMap<string, true>(MAX_KNOWN);

  /** The entries of the decisions in a request's body that were not recorded before. */
  decisionsIn(body: unknown): readonly CapturedFields[] {
    return listOf(fieldsOf(body)["events"])
      .map(fieldsOf)
      .flatMap((event) => {
        const of = textOf(event["tool_use_id"]);
        if (event["type"] !== "user.tool_confirmation" || of === undefined) return [];
        if (this.#decided.get(of)) return [];
        this.#decided.set(of, true);
        return [decision(of, event)];
      });
  }

  /** Decisions that could not be recorded. */
  forget(decisions: readonly CapturedFields[]): void {
    for (const { review } of decisions) if (review) this.#decided.delete(review.of);
  }
}

function decision(of: string, { result, deny_message: reason }: Fields): CapturedFields {
  return {
    operation: "human_review",
    outcome: "ok",
    latencyMs: null,
    input: "",
    output: defined({ reason: textOf(reason) }),
    review: { of, verdict: result === "allow" ? "approved" : "rejected" },
    metadata: { review: "decided" },
  };
}
