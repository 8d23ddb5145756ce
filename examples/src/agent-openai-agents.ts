// The OpenAI Agents SDK over an audited client: its model calls are recorded by the client, and a tool
// in a run of its own.
import { createServer } from "node:http";
import { AuditLogger, currentAuditContext, withAuditContext } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled, tool } from "@openai/agents";
import { z } from "zod";

// A model that asks for the weather and then answers: your code leaves this and baseURL out.
const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const isAnswered = Buffer.concat(parts).includes("function_call_output");
    const text = { type: "output_text", text: "It is sunny in Rome.", annotations: [] };
    const item = isAnswered
      ? { type: "message", id: "msg_1", role: "assistant", content: [text] }
      : {
          type: "function_call",
          id: "fc_1",
          call_id: "call_1",
          name: "weather",
          arguments: '{"city":"Rome"}',
        };
    const usage = {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 15,
    };
    const output = [{ ...item, status: "completed" }];
    const body = { id: `resp_${isAnswered ? 2 : 1}`, object: "response", status: "completed" };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ ...body, created_at: 1, model: "gpt-5", output, usage }));
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = server.address();
const port = typeof address === "object" && address !== null ? address.port : 0;
const baseURL = `http://127.0.0.1:${port}/v1`;

const logger = new AuditLogger("./audit-logs/agent-openai-agents", { storeContent: true });
const client = new AuditedOpenAI({ baseURL, apiKey: "no-key-needed", audit: logger });
setDefaultOpenAIClient(client);
setTracingDisabled(true); // OpenAI's own tracing needs a key

const weather = tool({
  name: "weather",
  description: "The weather of a city.",
  parameters: z.object({ city: z.string() }),
  execute: async (input, _, details) => {
    const toolCallId = details?.toolCall?.callId ?? "";
    const begun = { name: "weather", kind: "tool", toolName: "weather", toolCallId };
    return withAuditContext({ run: begun }, async () => {
      const output = `sunny in ${input.city}`;
      const own = currentAuditContext().run;
      await logger.log({ operation: "execute_tool", outcome: "ok", input, output, run: own });
      return output;
    });
  },
});
const agent = new Agent({ name: "forecaster", model: "gpt-5", tools: [weather] });
const context = {
  conversationId: "weather-1",
  actor: { id: "ada", kind: "user" },
  run: { name: "forecaster", kind: "agent" },
} as const;
const { finalOutput } = await withAuditContext(context, () =>
  run(agent, "What is the weather in Rome?"),
);
console.log(finalOutput);

for await (const entry of logger.entries())
  console.log(
    entry.operation,
    entry.outcome,
    entry.run?.["agentName"],
    entry.run?.toolCallId ?? "",
  );
await logger.close();
server.close();
