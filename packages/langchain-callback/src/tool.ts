// Fields of a tool call's entry.
import type { CapturedFields, JsonValue } from "@ai-audit/core";
import { isClientSecret, NOT_KEPT, snapshot, snapshotOfObject } from "./binary.ts";
import { describeMessage, isMessage } from "./messages.ts";
import { defined, type Fields, fieldsOf, isFields, listOf, pick, textOf } from "./read.ts";

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

/** What a tool returned: text, a tool message, a command to the graph, or anything else. */
export function describeToolOutput(output: unknown, inlineBytes: number): CapturedFields {
  const failed = isMessage(output) && output["status"] === "error";
  return {
    outcome: failed ? "error" : "ok",
    ...(failed && { error: { type: "ToolMessage", message: "the tool reported an error: see output" } }),
    output: describeValue(output, inlineBytes),
  };
}

/** What a tool message says of the call it answers. Older versions of LangChain give the call's id only here. */
export function answeredCall(output: unknown): { readonly toolName?: string; readonly toolCallId?: string } {
  if (!isMessage(output)) return {};
  return defined({ toolName: textOf(output["name"]), toolCallId: textOf(output["tool_call_id"]) });
}

/** Any value of a graph as JSON, messages in their neutral shape. */
export function describeValue(value: unknown, inlineBytes: number, depth = 0): JsonValue {
  if (isMessage(value)) {
    // A tool message is the tool's answer with an envelope that the entry's own fields repeat.
    const described = describeMessage(value, inlineBytes);
    return fieldsOf(described)["role"] === "tool" && depth === 0 ? contentOf(described) : described;
  }
  if (depth > 6) return snapshotOfObject(value, inlineBytes);
  if (Array.isArray(value)) return value.map((element) => describeValue(element, inlineBytes, depth + 1));
  if (isCommand(value)) {
    const { goto, update, resume, graph } = value;
    const parts = Object.entries({ goto, update, resume, graph }).filter(
      ([, part]) => part !== undefined && listOf(part).length + Number(!Array.isArray(part)) > 0,
    );
    return {
      command: Object.fromEntries(parts.map(([name, part]) => [name, describeValue(part, inlineBytes, depth + 1)])),
    };
  }
  if (isFields(value) && isPlain(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        isClientSecret(name, member) ? NOT_KEPT : describeValue(member, inlineBytes, depth + 1),
      ]),
    );
  }
  return snapshotOfObject(value, inlineBytes);
}

/** A retrieved document. */
export function describeDocument(document: unknown, inlineBytes: number): JsonValue {
  return snapshot(pick(fieldsOf(document), ["id", "pageContent", "metadata"]), inlineBytes);
}

/** LangGraph's `Command`, of any copy of the package. */
export function isCommand(value: unknown): value is Fields {
  return fieldsOf(value)["lg_name"] === "Command";
}

function contentOf(described: JsonValue): JsonValue {
  return typeof described === "object" && described !== null && "content" in described
    ? (described["content"] ?? "")
    : described;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
