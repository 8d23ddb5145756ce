// Loops of model calls, such as `runTools()`: a call that brings the results of tools is linked to
// the call that asked for them.
import {
  type CapturedFields,
  type Fields,
  fieldsOf,
  listOf,
  RecentMap,
  textOf,
} from "@ai-audit/core/capture";

/** An entry's id once it is written; undefined when it could not be. */
type Written = Promise<string | undefined>;

/** Results follow their request soon, or after a person's review. */
const MAX_WAITING = 2000;

/** Entries by the ids of the tool calls that they ask for. */
export class ToolTurns {
  readonly #byCall = new RecentMap<string, Written>(MAX_WAITING);

  /** The entry that asked for the tool calls whose results a request brings. */
  askedBy(body: unknown): Written | undefined {
    const { messages, input } = fieldsOf(body);
    const ids = [...listOf(messages), ...listOf(input)].flatMap((item) => resultOf(fieldsOf(item)));
    const latest = ids.at(-1);
    return latest === undefined ? undefined : this.#byCall.get(latest);
  }

  /** An entry is being written. */
  note({ output }: CapturedFields, written: Written): void {
    const calls = [output].flat().flatMap((item) => callsIn(fieldsOf(item)));
    if (calls.length === 0) return;
    const id = written.catch(() => undefined); // the caller gets the error
    for (const call of calls) this.#byCall.set(call, id);
  }
}

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

function callsIn({ tool_calls: calls, call_id: call }: Fields): string[] {
  const ids = [...listOf(calls).map((one) => fieldsOf(one)["id"]), call];
  return ids.flatMap((id) => textOf(id) ?? []);
}
