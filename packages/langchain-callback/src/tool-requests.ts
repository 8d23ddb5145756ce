// Finds the model call that asked for a tool call.
import { RecentMap, type Run, defined } from "@ai-audit/core/capture";
import type { RunContext } from "./runs.ts";

interface Request {
  readonly runId: string;
  readonly rootId: string;
  readonly threadId: string | undefined;
  /** Undefined when the model call's entry could not be written. */
  readonly entryId: string | undefined;
}

/**
 * A tool runs soon after its request, or after a human review: the oldest requests are safe to
 * forget.
 */
const MAX_REQUESTS = 2000;
const MAX_PER_ID = 4;

/**
 * Requests by tool call id. Ids may repeat (some models number them), so the closest request
 * counts.
 */
export class ToolRequests {
  readonly #requests = new RecentMap<string, readonly Request[]>(MAX_REQUESTS);

  /** Notes the tool calls in a model call's answer. */
  note(
    toolCallIds: readonly string[],
    { id, scope, run }: RunContext,
    entryId: string | undefined,
  ): void {
    for (const toolCallId of toolCallIds) {
      const earlier = this.#requests.get(toolCallId) ?? [];
      const request = { runId: id, rootId: scope.rootId, threadId: run.threadId, entryId };
      this.#requests.set(toolCallId, [...earlier, request].slice(-MAX_PER_ID));
    }
  }

  /**
   * The id of a tool call, and the model call that asked for it, as members of its entry's `run`.
   */
  linkOf(toolCallId: string | undefined, context: RunContext): Run {
    if (toolCallId === undefined) return {};
    const request = this.#find(toolCallId, context);
    return {
      toolCallId,
      ...defined({ requestedBy: request?.entryId, requestedByRun: request?.runId }),
    };
  }

  /** The request of the same root, else of the same thread, else the only one. */
  #find(toolCallId: string, { scope, run }: RunContext): Request | undefined {
    const requests = this.#requests.get(toolCallId) ?? [];
    return (
      requests.findLast(({ rootId }) => rootId === scope.rootId) ??
      requests.findLast(({ threadId }) => threadId !== undefined && threadId === run.threadId) ??
      (requests.length === 1 ? requests[0] : undefined)
    );
  }
}
