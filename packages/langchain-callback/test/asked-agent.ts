// What the tests of agents and graphs share.
import { tool } from "@langchain/core/tools";
import { z } from "zod";
import { chatFor, type Respond } from "./openai-server.ts";

/** Asks for each tool once, in order, then answers. */
export function askFor(
  calls: readonly { readonly name: string; readonly args: unknown }[],
  answer: string,
): Respond {
  return (request) => {
    const done = (request.body["messages"] as { role: string }[]).filter(
      ({ role }) => role === "tool",
    ).length;
    const call = calls[done];
    return call
      ? chatFor(request, "", { toolCalls: [{ id: `call_${done + 1}`, ...call }] })
      : chatFor(request, answer);
  };
}

export const weather = tool(async ({ city }) => `sunny in ${city}`, {
  name: "weather",
  description: "The weather.",
  schema: z.object({ city: z.string() }),
});

export const user = (content: string): { messages: { role: string; content: string }[] } => ({
  messages: [{ role: "user", content }],
});
