// Express: who asks is set once, in a middleware; answers are streamed as server-sent events.
import { once } from "node:events";
import { AuditLogger, withAuditContext } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import express from "express";
import { startModelServer } from "./support/model-server.ts";

const models = await startModelServer(); // your code leaves this and baseURL out
const logger = new AuditLogger("./audit-logs/express", { storeContent: true });
const connection = { apiKey: "no-key-needed", baseURL: models.baseURL };
const openai = new AuditedOpenAI({ ...connection, audit: logger });

const app = express();
app.use((request, _response, next) => {
  const user = request.get("x-user") ?? "anonymous"; // your session
  withAuditContext({ actor: { id: user, kind: "user" } }, next);
});
app.get("/ask", async (request, response) => {
  const { q: content } = request.query;
  if (typeof content !== "string") throw new TypeError("no question");
  const stream = await openai.chat.completions.create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content }],
    stream: true,
  });
  response.on("close", () => stream.controller.abort()); // the reader left
  response.type("text/event-stream");
  for await (const chunk of stream) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  response.end();
});

const server = app.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
const base = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
await Promise.all(
  ["ann", "bob"].map(async (user) => {
    const headers = { "x-user": user };
    await (await fetch(`${base}/ask?q=A+haiku,+says+${user}`, { headers })).text();
  }),
);

const entries = await Array.fromAsync(logger.entries());
const lines = entries.map((entry) => `${entry.actor?.id} ${entry.outcome} ${entry.inputContent}`);
console.log(lines.toSorted().join("\n"));
server.close();
await logger.close();
await models.stop();
