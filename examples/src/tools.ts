// Tool calls: what the model asked for, what the tool did with it, and for whom.
import { AuditLogger, currentAuditContext, withAuditContext } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { startModelServer } from "./support/model-server.ts";

const server = await startModelServer(); // your code leaves this and baseURL out
const logger = new AuditLogger("./audit-logs/tools", { storeContent: true });
const connection = { apiKey: "no-key-needed", baseURL: server.baseURL };
const openai = new AuditedOpenAI({ ...connection, audit: logger });

function getWeather(input: { readonly city: string }): Promise<string> {
  const run = { name: "get_weather", kind: "tool", toolName: "get_weather" };
  return withAuditContext({ run }, async () => {
    const output = `Rain in ${input.city}.`; // the work of the tool
    const { run: own } = currentAuditContext();
    await logger.log({ operation: "execute_tool", outcome: "ok", input, output, run: own });
    return output;
  });
}

const actor = { id: "ann", kind: "user" } as const;
await withAuditContext({ actor, run: { name: "forecaster", kind: "agent" } }, async () => {
  const answer = await openai.chat.completions.create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: "What is the weather in Paris?" }],
    tools: [{ type: "function", function: { name: "get_weather" } }],
  });
  for (const call of answer.choices[0]?.message.tool_calls ?? [])
    if (call.type === "function")
      console.log(await getWeather(JSON.parse(call.function.arguments) as { city: string }));
});

for await (const { operation, actor: by, run, outputContent } of logger.entries())
  console.log(operation, by?.id, run?.path?.join(" > "), outputContent?.slice(0, 40));
await logger.close();
await server.stop();
