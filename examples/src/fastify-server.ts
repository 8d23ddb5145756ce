// Fastify: a hook sets who asks; readiness and shutdown go through the logger.
import { AuditLogger, withAuditContext } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import fastify from "fastify";
import { startModelServer } from "./support/model-server.ts";

const models = await startModelServer(); // your code leaves this and baseURL out
const logger = new AuditLogger("./audit-logs/fastify");
const connection = { apiKey: "no-key-needed", baseURL: models.baseURL };
const openai = new AuditedOpenAI({ ...connection, audit: logger });

const app = fastify();
app.addHook("onRequest", (request, _reply, done) => {
  const id = String(request.headers["x-user"] ?? "anonymous"); // your session
  withAuditContext({ actor: { id, kind: "user" } }, done);
});
app.addHook("onReady", () => logger.ready()); // no start where the log cannot be written
app.addHook("onClose", () => logger.close());
app.get("/ask", async () => {
  const messages = [{ role: "user", content: "What is the capital of France?" }] as const;
  const answer = await openai.chat.completions.create({
    model: "gpt-4o-mini",
    messages: [...messages],
  });
  return { answer: answer.choices[0]?.message.content };
});

const base = await app.listen({ port: 0, host: "127.0.0.1" });
console.log(await (await fetch(`${base}/ask`, { headers: { "x-user": "ann" } })).text());
for await (const entry of logger.entries()) console.log(entry.actor?.id, entry.outcome);
await app.close();
await models.stop();
