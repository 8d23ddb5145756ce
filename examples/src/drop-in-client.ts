// Swap `new OpenAI()` for `new AuditedOpenAI()`: everything else stays as it is.
import { AuditLogger, withAuditContext } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { startModelServer } from "./support/model-server.ts";

const server = await startModelServer(); // your code leaves this and baseURL out
const logger = new AuditLogger("./audit-logs/drop-in", { storeContent: true });
const openai = new AuditedOpenAI({
  apiKey: "no-key-needed",
  baseURL: server.baseURL,
  audit: logger,
});

await withAuditContext({ conversationId: "conv-1", metadata: { user_id: "u-17" } }, async () => {
  const completion = await openai.chat.completions.create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: "What is the capital of France?" }],
  });
  console.log(completion.choices[0]?.message.content);

  const response = await openai.responses.create({
    model: "gpt-4o-mini",
    input: "What is the capital of France?",
  });
  console.log(response.output_text);
});

for await (const entry of logger.entries({ conversationId: "conv-1" })) {
  console.log(
    entry.operation,
    entry.outcome,
    entry.metadata,
    `${entry.inputTokens}+${entry.outputTokens} tokens`,
  );
}
await logger.close();
await server.stop();
