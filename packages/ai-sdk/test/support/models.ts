// Answers of the SDK's mock models, and the entries of a log.
import type { AuditEntry, AuditLogger } from "@ai-audit/core";
import { simulateReadableStream } from "ai";
import { MockLanguageModelV4 } from "ai/test";

type Generated = Awaited<ReturnType<MockLanguageModelV4["doGenerate"]>>;
type Streamed = Awaited<ReturnType<MockLanguageModelV4["doStream"]>>;
export type Part = Streamed["stream"] extends ReadableStream<infer P> ? P : never;

export const usage: Generated["usage"] = {
  inputTokens: { total: 10, noCache: 7, cacheRead: 3, cacheWrite: undefined },
  outputTokens: { total: 5, text: 4, reasoning: 1 },
};
export const stop: Generated["finishReason"] = { unified: "stop", raw: "stop" };

/** An answer of text. */
export function says(text: string): Generated {
  return {
    content: [{ type: "text", text }],
    finishReason: stop,
    usage,
    warnings: [],
    response: { id: "resp-1", modelId: "served-1" },
  };
}

/** An answer that asks for a tool. */
export function call(toolName: string, input: string, toolCallId = "call-1"): Generated {
  return {
    content: [{ type: "tool-call", toolCallId, toolName, input }],
    finishReason: { unified: "tool-calls", raw: "tool_calls" },
    usage,
    warnings: [],
  };
}

/** The parts of a stream of text. */
export function deltas(...pieces: readonly string[]): Part[] {
  return [
    { type: "stream-start", warnings: [] },
    { type: "response-metadata", id: "resp-2", modelId: "served-2" },
    { type: "text-start", id: "1" },
    ...pieces.map((delta) => ({ type: "text-delta" as const, id: "1", delta })),
    { type: "text-end", id: "1" },
    { type: "finish", finishReason: stop, usage },
  ];
}

/** A model that streams these parts, each time. */
export function streaming(chunks: Part[]): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    doStream: () => Promise.resolve({ stream: simulateReadableStream({ chunks }) }),
  });
}

/** The entries of a log in their order. */
export async function entriesOf(logger: AuditLogger): Promise<AuditEntry[]> {
  const found = await Array.fromAsync(logger.entries());
  return found.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
