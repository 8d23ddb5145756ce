// Anthropic's tool runner over `AuditedAnthropic`: a run with each call of the model and each tool.
import { AuditLogger, currentAuditContext, withAuditContext } from "@ai-audit/core";
import { AuditedAnthropic } from "@ai-audit/anthropic";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { startClaudeServer } from "./support/claude-server.ts";

const server = await startClaudeServer(); // your code leaves this and baseURL out
const logger = new AuditLogger("./audit-logs/anthropic-tools", { storeContent: true });
const client = new AuditedAnthropic({
  apiKey: "no-key-needed",
  baseURL: server.baseURL,
  audit: logger,
});

/** A tool that leaves an entry of its own, as a run within the one around it. */
const weather = betaTool({
  name: "get_weather",
  description: "The weather in a city.",
  inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  run: (input, call) => {
    const { id: toolCallId = "" } = call?.toolUse ?? {};
    const run = { name: "get_weather", kind: "tool", toolName: "get_weather", toolCallId };
    return withAuditContext({ run }, async () => {
      const output = "Sunny, 21 °C";
      const { run: own } = currentAuditContext();
      await logger.log({ operation: "execute_tool", outcome: "ok", input, output, run: own });
      return output;
    });
  },
});

await withAuditContext({ run: { name: "forecaster", kind: "agent" } }, async () => {
  const answer = await client.beta.messages.toolRunner({
    model: "claude-sonnet-5-5",
    max_tokens: 500,
    messages: [{ role: "user", content: "How is the weather in Paris?" }],
    tools: [weather],
    max_iterations: 3,
  });
  console.log(
    answer.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join(""),
  );
});

for await (const { operation, outcome, run } of logger.entries())
  console.log(operation, outcome, run?.path?.join(" > "), run?.name ?? "");
await logger.close();
await server.stop();
