// The model calls that asked for tool calls.
import { defined, fieldsOf, listOf, RecentMap, type Run, textOf } from "@ai-audit/core/capture";

interface Request {
  readonly runId: string;
  /** Undefined when the model call's entry could not be written. */
  readonly entryId: string | undefined;
}

/** A tool runs soon after its request, or after a person's decision. */
const MAX_REQUESTS = 2000;

/** Requests by tool call id. */
export class ToolRequests {
  readonly #requests = new RecentMap<string, Request>(MAX_REQUESTS);

  /** Notes the tool calls in an answer, once its entry is written. */
  note(toolCallIds: readonly string[], runId: string, entryId: string | undefined): void {
    for (const id of toolCallIds) this.#requests.set(id, { runId, entryId });
  }

  /** The members of a tool call's `run` that name it and its request. A call runs once. */
  take(toolCallId: string): Run {
    const request = this.#requests.get(toolCallId);
    this.#requests.delete(toolCallId);
    return {
      toolCallId,
      ...defined({ requestedBy: request?.entryId, requestedByRun: request?.runId }),
    };
  }
}

/** Ids of the calls in an answer's content of tools that the application runs. */
export function toolCallIdsIn(result: unknown): readonly string[] {
  return listOf(fieldsOf(result)["content"]).flatMap((part) => {
    const { type, toolCallId, providerExecuted } = fieldsOf(part);
    return type === "tool-call" && providerExecuted !== true ? (textOf(toolCallId) ?? []) : [];
  });
}
