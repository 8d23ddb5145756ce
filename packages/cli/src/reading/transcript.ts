// The calls of a conversation as the messages that were new in each. Chat APIs send all earlier messages again with
// every call; a reader wants each of them once.
import type { JsonValue } from "@ai-audit/core/format";
import { textOf } from "./text-of.ts";

/** Something said. */
export interface Message {
  /** `user`, `assistant`, `system`, `tool` … */
  readonly role: string;
  readonly text: string;
}

export class Transcript {
  /** All messages so far, as the next call is expected to repeat them. */
  #told: readonly Message[] = [];

  /** The messages of one call that were not told before: those of its input, then the answer. */
  add(input: JsonValue | undefined, output: JsonValue | undefined): Message[] {
    const asked = input === undefined ? [] : messagesOf(input, "user");
    const answered = output === undefined || output === "" ? [] : messagesOf(output, "assistant");
    // The last message is what the call is about: asked again, it is told again.
    const known = Math.min(this.#repeats(asked), asked.length - 1);
    const fresh = [...asked.slice(Math.max(0, known)), ...answered];
    // With a history, a call says itself what went before; without one, it goes on from the calls before it.
    this.#told = asked.length > 1 ? [...asked, ...answered] : [...this.#told, ...fresh];
    return fresh;
  }

  /** How many messages from the first on were told before. */
  #repeats(messages: readonly Message[]): number {
    const differs = messages.findIndex((message, at) => {
      const told = this.#told[at];
      return told?.role !== message.role || told.text !== message.text;
    });
    return differs === -1 ? messages.length : differs;
  }
}

function messagesOf(content: JsonValue, role: string): Message[] {
  if (typeof content === "string") return [{ role, text: content }];
  if (Array.isArray(content))
    return content.every(isMessage) ? content.map(toMessage) : [{ role, text: textOf(content) }];
  if (isRecord(content)) {
    // A request with more than messages: { messages, tools, … }
    const { messages } = content;
    if (Array.isArray(messages) && messages.every(isMessage)) return messages.map(toMessage);
    if (isMessage(content)) return [toMessage(content)];
  }
  return [{ role, text: textOf(content) }];
}

interface Spoken {
  readonly role: string;
  readonly content?: JsonValue;
  readonly [detail: string]: JsonValue | undefined;
}

function isMessage(value: JsonValue): value is JsonValue & Spoken {
  return isRecord(value) && typeof value["role"] === "string";
}

function toMessage({ role, content, tool_calls: toolCalls }: Spoken): Message {
  const parts = [content, toolCalls].filter((part) => part !== undefined && part !== null);
  return { role, text: parts.map(partText).join("\n") };
}

/** Text parts as text, anything else (images, tool calls) as JSON. */
function partText(part: JsonValue): string {
  if (!Array.isArray(part)) return textOf(part);
  return part
    .map((item) =>
      isRecord(item) && typeof item["text"] === "string" ? item["text"] : textOf(item),
    )
    .join("\n");
}

function isRecord(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
