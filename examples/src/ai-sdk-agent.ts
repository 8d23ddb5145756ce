// An agent of Vercel's AI SDK whose tools wait for a person: the office pays an invoice, once a
// person has approved it, and sends no mail, because the person rejects that.
import { AuditLogger, withAuditContext } from "@ai-audit/core";
import { auditAiSdk } from "@ai-audit/ai-sdk";
import { createOpenAI } from "@ai-sdk/openai";
import { type ModelMessage, registerTelemetry, tool, ToolLoopAgent, wrapLanguageModel } from "ai";
import { z } from "zod";
import { startOfficeServer } from "./support/office-server.ts";

const server = await startOfficeServer(); // your code leaves this and baseURL out
const openai = createOpenAI({ baseURL: server.baseURL, apiKey: "no-key-needed" });

const logger = new AuditLogger("./audit-logs/ai-sdk-agent", { storeContent: true });
const audit = auditAiSdk({ logger });
registerTelemetry(audit.telemetry);

const agent = new ToolLoopAgent({
  model: wrapLanguageModel({ model: openai.chat("gpt-5"), middleware: audit.languageModel }),
  telemetry: { functionId: "supervisor" },
  tools: {
    research: tool({
      inputSchema: z.object({ question: z.string() }),
      execute: ({ question }) => `An answer to: ${question}`,
    }),
    pay: tool({
      inputSchema: z.object({ to: z.string(), amount: z.number(), invoice: z.number() }),
      needsApproval: true,
      execute: ({ to, amount }) => `${to} was paid ${amount} EUR.`,
    }),
    send_mail: tool({
      inputSchema: z.object({ to: z.string(), text: z.string() }),
      needsApproval: true,
      execute: () => "The mail is sent.",
    }),
  },
});

const messages: ModelMessage[] = [{ role: "user", content: "Pay the open invoices." }];
const actor = { id: "ada", kind: "user" } as const;
await withAuditContext({ actor, run: { name: "invoices" } }, async () => {
  for (;;) {
    const { text, content, responseMessages } = await agent.generate({ messages });
    const asked = content.filter((part) => part.type === "tool-approval-request");
    if (asked.length === 0) return console.log(text);
    const decisions = asked.map(({ approvalId, toolCall }) => ({
      type: "tool-approval-response" as const,
      approvalId,
      approved: toolCall["toolName"] === "pay", // your code asks a person
    }));
    messages.push(...responseMessages, { role: "tool", content: decisions });
  }
});

for await (const { operation, outcome, run, review } of logger.entries())
  console.log(operation, outcome, review?.verdict ?? run?.["toolName"] ?? "");
await logger.close();
await server.stop();
