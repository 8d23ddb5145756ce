// The ids of tool calls in requests and answers: a call that brings results is linked to the call
// that asked for them.
import { type Fields, fieldsOf, listOf, textOf } from "@ai-audit/core/capture";
import type { ToolReaders } from "@ai-audit/core/sdk";

export const toolIds: ToolReaders = {
  resultsIn: ({ messages, input }) =>
    [...listOf(messages), ...listOf(input)].flatMap((item) => resultOf(fieldsOf(item))),
  callsIn({ tool_calls: calls, call_id: call }) {
    const ids = [...listOf(calls).map((one) => fieldsOf(one)["id"]), call];
    return ids.flatMap((id) => textOf(id) ?? []);
  },
};

/** Chat: a message of a tool. Responses: an item with a call's output. */
function resultOf({ role, tool_call_id: chat, type, call_id: responses }: Fields): string[] {
  const id =
    role === "tool"
      ? textOf(chat)
      : typeof type === "string" && type.endsWith("_call_output")
        ? textOf(responses)
        : undefined;
  return id === undefined ? [] : [id];
}
