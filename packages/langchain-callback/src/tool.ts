// Fields of a tool call's entry.
import {
  type CapturedFields,
  type JsonValue,
  defined,
  fieldsOf,
  pick,
  textOf,
} from "@ai-audit/core/capture";
import { isMessage, neutralMessage, roleOf } from "./messages.ts";
import { snapshot } from "./snapshot.ts";

/** The arguments: JSON where LangChain passes JSON text, the text otherwise. */
export function describeToolInput(input: unknown, inlineBytes: number): JsonValue {
  if (typeof input !== "string") return snapshot(input, inlineBytes);
  if (!/^\s*[{[]/.test(input)) return input;
  try {
    return snapshot(JSON.parse(input), inlineBytes);
  } catch {
    return input; // text that only begins like JSON
  }
}

/**
 * The fields of a tool's result: a string, a tool message, a command to the graph, or anything
 * else.
 */
export function describeToolOutput(output: unknown, inlineBytes: number): CapturedFields {
  const failed = isMessage(output) && output["status"] === "error";
  return {
    outcome: failed ? "error" : "ok",
    ...(failed && {
      error: { type: "ToolMessage", message: "the tool reported an error: see output" },
    }),
    output: snapshot(answerIn(output), inlineBytes),
  };
}

/** The content of a tool message: the entry's own fields repeat the rest. */
function answerIn(output: unknown): unknown {
  return isMessage(output) && roleOf(output) === "tool"
    ? neutralMessage(output)["content"]
    : output;
}

/**
 * Name and id of the call that a tool message answers. Older versions of LangChain give the id only
 * here.
 */
export function answeredCall(output: unknown): {
  readonly toolName?: string;
  readonly toolCallId?: string;
} {
  if (!isMessage(output)) return {};
  return defined({ toolName: textOf(output["name"]), toolCallId: textOf(output["tool_call_id"]) });
}

/** A retrieved document. */
export function describeDocument(document: unknown, inlineBytes: number): JsonValue {
  return snapshot(pick(fieldsOf(document), ["id", "pageContent", "metadata"]), inlineBytes);
}
