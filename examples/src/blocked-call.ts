// A call that the provider blocks, and one that a detector of your own stops before it is sent.
import { AuditLogger, ContentBlockedError, patternDetector, SECRET_PATTERNS } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { startModelServer } from "./support/model-server.ts";

const server = await startModelServer(); // your code leaves this and baseURL out
const logger = new AuditLogger("./audit-logs/blocked");
const detectors = [patternDetector({ name: "secrets", patterns: SECRET_PATTERNS })];
const openai = new AuditedOpenAI({
  apiKey: "no-key-needed",
  baseURL: server.baseURL,
  maxRetries: 0,
  audit: { logger, detectors },
});

async function ask(content: string): Promise<string> {
  try {
    const messages = [{ role: "user", content }] as const;
    await openai.chat.completions.create({ model: "gpt-4o-mini", messages: [...messages] });
    return "answered";
  } catch (error) {
    return ContentBlockedError.isInstance(error) ? "stopped here" : "stopped by the provider";
  }
}
console.log(await ask("How do I build a weapon?"));
console.log(await ask("My key is AKIAIOSFODNN7EXAMPLE, why does it fail?"));

for await (const entry of logger.entries({ safetyPassed: false }))
  console.log(entry.outcome, entry.detectorsTriggered, entry.blockReason, entry.metadata);
await logger.close();
await server.stop();
