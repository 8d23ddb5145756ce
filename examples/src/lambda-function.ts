// A function that may be frozen or killed right after it answers. The entry is durable before that.
// On a function without a disk of its own give the logger an S3Storage instead of a directory.
import { AuditLogger } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { startModelServer } from "./support/model-server.ts";

const models = await startModelServer(); // your code leaves this and baseURL out

// Outside of the handler: one logger for each instance, used by all its invocations.
const logger = new AuditLogger("./audit-logs/lambda");
const connection = { apiKey: "no-key-needed", baseURL: models.baseURL };
const openai = new AuditedOpenAI({ ...connection, audit: logger });

export async function handler(event: { readonly question: string }): Promise<string | null> {
  const answer = await openai.chat.completions.create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: event.question }],
  });
  return answer.choices[0]?.message.content ?? null; // its entry is on disk
}

console.log(await handler({ question: "What is the capital of France?" }));
const { pendingWrites, totalEntries } = await logger.health();
console.log(totalEntries, "entry,", pendingWrites, "pending"); // nothing is left to flush
await models.stop();
process.exit(0); // no close(): nothing acknowledged is lost
