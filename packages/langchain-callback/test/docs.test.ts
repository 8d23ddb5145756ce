// Every TypeScript block of the documents runs, as it stands, in a process of its own.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { blocksOf, runBlock } from "@ai-audit/test-support/documented-code";
import { API_KEY } from "./fixtures.ts";
import { chatFor, type SentRequest, startOpenAiServer } from "./openai-server.ts";

const from = fileURLToPath(new URL("..", import.meta.url));

/** What each document's blocks print, in order. */
const DOCUMENTS: Record<string, readonly string[]> = {
  "../../docs/langchain.md": [
    "4\n",
    "chat ok [ 'forecaster', 'model_request' ] undefined\n" +
      "execute_tool ok [ 'forecaster', 'tools' ] call_1\n" +
      "chat ok [ 'forecaster', 'model_request' ] undefined\n",
    "chat ok t-1 undefined\nhuman_review interrupted t-1 requested\nhuman_review ok t-1 decided\n",
    "{ open: 0, written: 1, lost: 0 }\n",
    "1\n",
  ],
  "README.md": ["", "chat [ 'LangGraph', 'model_request' ]\n"],
};

function asksForWeather({ body }: SentRequest): boolean {
  const messages = body["messages"] as { role: string }[];
  return body["tools"] !== undefined && !messages.some(({ role }) => role === "tool");
}

describe.each(Object.entries(DOCUMENTS))("%s", async (document, outputs) => {
  const blocks = await blocksOf(join(from, document));

  it("has as many blocks as are checked here", () => {
    expect(blocks).toHaveLength(outputs.length);
  });

  it.for(blocks.map((block, index) => ({ number: index + 1, block })))(
    "runs its block $number",
    async ({ number, block }) => {
      await using server = await startOpenAiServer((request) =>
        asksForWeather(request)
          ? chatFor(request, "", {
              toolCalls: [{ id: "call_1", name: "weather", args: { city: "Rome" } }],
            })
          : chatFor(request, "Sunny."),
      );
      const env = { OPENAI_API_KEY: API_KEY, OPENAI_BASE_URL: server.url };
      const { stdout } = await runBlock(block, { from, env });
      expect(stdout).toBe(outputs[number - 1]);
    },
  );
});
