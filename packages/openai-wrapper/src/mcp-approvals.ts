// Approvals of MCP tool calls in the Responses API: the model's request for one, and the person's
// decision in a later request.
import {
  type CapturedFields,
  type Fields,
  type Run,
  defined,
  fieldsOf,
  listOf,
  RecentMap,
  textOf,
} from "@ai-audit/core/capture";

/** A history that is sent again repeats its decisions: the latest are known. */
const MAX_KNOWN = 2000;

/** The approvals that a response asks for, as its entry records them. */
export function approvalRequestFields(output: unknown): CapturedFields {
  const asked = listOf(output)
    .map(fieldsOf)
    .filter(({ type }) => type === "mcp_approval_request");
  if (asked.length === 0) return {};
  return {
    reviewRequired: true,
    metadata: {
      interrupt_ids: asked.map(({ id }) => textOf(id) ?? null),
      actions: asked.map(({ name }) => textOf(name) ?? null),
    },
  };
}

/** The requests and decisions of one client and its clones. */
export class McpApprovals {
  readonly #asked = new RecentMap<string, Asked>(MAX_KNOWN);
  readonly #decided = new RecentMap<string, true>(MAX_KNOWN);

  /** Notes the requests in an answer. */
  note({ output, run }: CapturedFields): void {
    for (const item of [output].flat().map(fieldsOf))
      if (item["type"] === "mcp_approval_request" && typeof item["id"] === "string")
        this.#asked.set(item["id"], { item, run });
  }

  /** The entries of the decisions in a request's body that were not recorded before. */
  decisionsIn(body: unknown): CapturedFields[] {
    const items = listOf(fieldsOf(body)["input"]).map(fieldsOf);
    return items.flatMap((item) => {
      const of = textOf(item["approval_request_id"]);
      if (item["type"] !== "mcp_approval_response" || of === undefined) return [];
      if (this.#decided.get(of)) return [];
      this.#decided.set(of, true);
      return [this.#decision(of, item, items)];
    });
  }

  /** Decisions that could not be recorded. */
  forget(decisions: readonly CapturedFields[]): void {
    for (const { review } of decisions) if (review) this.#decided.delete(review.of);
  }

  #decision(of: string, { approve, reason }: Fields, items: readonly Fields[]): CapturedFields {
    const asked = this.#asked.get(of);
    const request =
      asked?.item ?? items.find(({ id, type }) => id === of && type === "mcp_approval_request");
    const { name, arguments: args, server_label: server } = request ?? {};
    const before = defined({ name: textOf(name), args: textOf(args), server: textOf(server) });
    return {
      operation: "human_review",
      outcome: "ok",
      latencyMs: null,
      input: Object.keys(before).length === 0 ? "" : { before },
      output: typeof reason === "string" && reason !== "" ? { reason } : "",
      review: { of, verdict: approve === true ? "approved" : "rejected" },
      metadata: { review: "decided", ...defined({ action: textOf(name) }) },
      ...(asked?.run?.rootId !== undefined && { run: { rootId: asked.run.rootId } }),
    };
  }
}

interface Asked {
  readonly item: Fields;
  readonly run: Run | undefined;
}
