// Every TypeScript block of README and guide runs, as it stands, in a process of its own.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { blocksOf, runBlock } from "@ai-audit/test-support/documented-code";
import { json, WireServer } from "@ai-audit/test-support/wire-server";
import { describe, expect, it } from "vitest";

const from = fileURLToPath(new URL("..", import.meta.url));

function response(item: object): object {
  return {
    id: "resp_1",
    object: "response",
    created_at: 1,
    model: "gpt-5-mini",
    status: "completed",
    output: [item],
    usage: { input_tokens: 9, output_tokens: 2, total_tokens: 11 },
  };
}

function says(text: string): object {
  const content = [{ type: "output_text", text, annotations: [] }];
  return response({ type: "message", id: "msg_1", role: "assistant", content });
}

const asks = response({
  type: "function_call",
  id: "fc_1",
  call_id: "call_1",
  name: "weather",
  arguments: '{"city":"Paris"}',
  status: "completed",
});

describe.each([
  ["README.md", [says("Paris.")], /^Paris\.\nchat ok gpt-5-mini\n$/],
  [
    "../../docs/ai-sdk.md",
    [asks, says("It is sunny.")],
    /^It is sunny\.\nchat ok {2}\[.*"weather".*\]\nexecute_tool ok weather Sunny in Paris\.\nchat ok {2}It is sunny\.\n$/,
  ],
] as const)("%s", (document, answers, output) => {
  it("runs as it stands", async () => {
    const [block, ...others] = await blocksOf(join(from, document));
    if (!block) throw new Error("no block");
    expect(others).toEqual([]);
    await using server = await WireServer.start();
    server.script(...answers.map((answer) => json(answer)));
    const env = { OPENAI_API_KEY: "none", OPENAI_BASE_URL: server.baseURL };
    const { stdout } = await runBlock(block, { from, env });
    expect(stdout).toMatch(output);
  });
});
