// The models of a small office, on loopback: a supervisor that pays invoices, and a researcher that
// reads them. It speaks OpenAI's Chat Completions and answers by what it was told last.
import { createServer, type ServerResponse } from "node:http";

interface Message {
  readonly role: string;
  readonly content?: unknown;
}

interface Request {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly stream?: boolean;
}

type ToolCall = readonly [id: string, name: string, given: object];

/** What a model says: text, or tools that it wants called. */
interface Answer {
  readonly content?: string;
  readonly toolCalls?: readonly ToolCall[];
}

/** A running server; `baseURL` is what an OpenAI client takes. */
export interface OfficeServer {
  readonly baseURL: string;
  stop(): Promise<void>;
}

/** Starts the models `gpt-5` (supervisor) and `gpt-5-mini` (researcher). */
export async function startOfficeServer(): Promise<OfficeServer> {
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on("data", (part: Buffer) => parts.push(part));
    incoming.on("end", () => {
      const request: Request = JSON.parse(Buffer.concat(parts).toString());
      send(
        response,
        request,
        request.model === "gpt-5" ? supervisor(request) : researcher(request),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function supervisor({ messages }: Request): Answer {
  const said = JSON.stringify(messages);
  if (said.includes('"send_mail"'))
    return { content: "Acme was paid 900 EUR for invoice 17. Invoice 18 is still open." };
  if (said.includes('"pay"'))
    return {
      toolCalls: [["call_mail", "send_mail", { to: "press@example.org", text: "Acme is paid." }]],
    };
  if (said.includes('"research"'))
    return { toolCalls: [["call_pay", "pay", { to: "Acme", amount: 950, invoice: 17 }]] };
  return {
    toolCalls: [
      ["call_r17", "research", { question: "What does invoice 17 say?" }],
      ["call_r18", "research", { question: "What does invoice 18 say?" }],
    ],
  };
}

function researcher({ messages }: Request): Answer {
  const invoice = JSON.stringify(messages).includes("invoice 17") ? 17 : 18;
  if (messages.at(-1)?.role !== "tool")
    return { toolCalls: [[`call_s${invoice}`, "search", { invoice }]] };
  return {
    content:
      invoice === 17
        ? "invoice-17.pdf says: 950 EUR to Acme, due on 30 November."
        : "The archive did not answer: nothing is known of invoice 18.",
  };
}

function send(response: ServerResponse, request: Request, { content, toolCalls }: Answer): void {
  const id = `chatcmpl-${crypto.randomUUID()}`;
  const created = Math.floor(Date.now() / 1000);
  const calls = toolCalls?.map(([callId, name, given], index) => ({
    index,
    id: callId,
    type: "function",
    function: { name, arguments: JSON.stringify(given) },
  }));
  const usage = {
    prompt_tokens: 100 + 10 * request.messages.length,
    completion_tokens: 20,
    total_tokens: 120 + 10 * request.messages.length,
  };
  const finish_reason = calls ? "tool_calls" : "stop";
  const head = { id, created, model: `${request.model}-2026-11-01` };
  const message = {
    role: "assistant",
    content: content ?? null,
    ...(calls && { tool_calls: calls }),
  };
  if (!request.stream) {
    response.setHeader("content-type", "application/json");
    const choices = [{ index: 0, message, finish_reason }];
    response.end(JSON.stringify({ ...head, object: "chat.completion", choices, usage }));
    return;
  }
  response.setHeader("content-type", "text/event-stream");
  const event = (choices: readonly object[], more: object = {}): void => {
    const chunk = { ...head, object: "chat.completion.chunk", choices, ...more };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  event([{ index: 0, delta: { ...message, content: "" } }]);
  for (const piece of content?.split(/(?<= )/) ?? [])
    event([{ index: 0, delta: { content: piece } }]);
  event([{ index: 0, delta: {}, finish_reason }]);
  event([], { usage });
  response.end("data: [DONE]\n\n");
}
