// Hono: a middleware sets who asks; a stream goes out as the client reads it.
import { AuditLogger, withAuditContext } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { Hono } from "hono";
import { startModelServer } from "./support/model-server.ts";

const models = await startModelServer(); // your code leaves this and baseURL out
const logger = new AuditLogger("./audit-logs/hono");
const connection = { apiKey: "no-key-needed", baseURL: models.baseURL };
const openai = new AuditedOpenAI({ ...connection, audit: logger });

const app = new Hono();
app.use((context, next) => {
  const id = context.req.header("x-user") ?? "anonymous"; // your session
  return withAuditContext({ actor: { id, kind: "user" } }, next);
});
app.get("/ask", async (context) => {
  const stream = await openai.chat.completions.create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: "What is the capital of France?" }],
    stream: true,
  });
  return context.body(stream.toReadableStream());
});

// In production: serve(app) of @hono/node-server. Here the application is called directly.
const response = await app.request("/ask", { headers: { "x-user": "ann" } });
console.log((await response.text()).trim().split("\n").length > 1, response.status);
for await (const entry of logger.entries())
  console.log(entry.actor?.id, entry.outcome, entry.streamed);
await logger.close();
await models.stop();
