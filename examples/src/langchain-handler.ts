// One callback records every model call of a chain.
import { AuditLogger } from "@ai-audit/core";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatOpenAI } from "@langchain/openai";
import { startModelServer } from "./support/model-server.ts";

const server = await startModelServer(); // your code leaves this and baseURL out
const logger = new AuditLogger("./audit-logs/langchain", { storeContent: true });
const handler = new AuditCallbackHandler(logger);

const model = new ChatOpenAI({
  model: "gpt-4o-mini",
  apiKey: "no-key-needed",
  configuration: { baseURL: server.baseURL },
});
const chain = ChatPromptTemplate.fromTemplate("Translate to French: {text}").pipe(model);
const answer = await chain.invoke({ text: "Where is the library?" }, { callbacks: [handler] });
console.log(answer.content); // and its entry is durable already

for await (const entry of logger.entries())
  console.log(entry.operation, entry.outcome, entry.run?.path);
await logger.close();
await server.stop();
