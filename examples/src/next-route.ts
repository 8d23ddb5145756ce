// A Next.js route handler: app/api/ask/route.ts. It must run on Node, not at the edge.
import { AuditLogger, withAuditContext } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { startModelServer } from "./support/model-server.ts";

export const runtime = "nodejs";
const models = await startModelServer(); // your code leaves this and baseURL out

// lib/audit.ts: one logger for each process, also where the development server reloads modules.
const kept = globalThis as typeof globalThis & { auditLogger?: AuditLogger };
const logger = (kept.auditLogger ??= new AuditLogger("./audit-logs/next"));
const connection = { apiKey: "no-key-needed", baseURL: models.baseURL };
const openai = new AuditedOpenAI({ ...connection, audit: logger });

export function POST(request: Request): Promise<Response> {
  const id = request.headers.get("x-user") ?? "anonymous"; // your session
  return withAuditContext({ actor: { id, kind: "user" } }, async () => {
    const { question } = (await request.json()) as { question: string };
    const stream = await openai.chat.completions.create(
      { model: "gpt-4o-mini", messages: [{ role: "user", content: question }], stream: true },
      { signal: request.signal }, // the reader leaves: the call ends
    );
    return new Response(stream.toReadableStream());
  });
}

// What Next.js does with it:
const response = await POST(
  new Request("http://localhost/api/ask", {
    method: "POST",
    headers: { "x-user": "ann" },
    body: JSON.stringify({ question: "What is the capital of France?" }),
  }),
);
await response.text();
for await (const entry of logger.entries()) console.log(entry.actor?.id, entry.outcome);
await logger.close();
await models.stop();
