// A stream: one entry when it ends, also when the reader leaves early.
import { AuditLogger } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { startModelServer } from "./support/model-server.ts";

const server = await startModelServer(); // your code leaves this and baseURL out
const logger = new AuditLogger("./audit-logs/stream", { storeContent: true });
const connection = { apiKey: "no-key-needed", baseURL: server.baseURL };
const openai = new AuditedOpenAI({ ...connection, audit: logger });
const haiku = () =>
  openai.chat.completions.create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: "Write a haiku about audit logs." }],
    stream: true,
  });

let text = "";
for await (const chunk of await haiku()) text += chunk.choices[0]?.delta.content ?? "";
console.log(text);

for await (const chunk of await haiku()) if (chunk.choices[0]?.delta.content) break; // leaves

for await (const { outcome, streamed, outputContent } of logger.entries())
  console.log(outcome, streamed, JSON.stringify(outputContent));
await logger.close();
await server.stop();
