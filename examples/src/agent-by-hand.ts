// The same office without a framework: an agent loop over `AuditedOpenAI`. Runs are named by
// `withAuditContext`, tools by `logger.log()`, and the person's decisions by `logger.review()`.
import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { AuditLogger, currentAuditContext, withAuditContext } from "@ai-audit/core";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import type OpenAI from "openai";
import { startOfficeServer } from "./support/office-server.ts";

const DIRECTORY = "./audit-logs/agent-by-hand";
const PAUSED = "./audit-logs/agent-by-hand.paused";
const isResumed = process.argv[2] === "resume";

if (!isResumed) await rm(DIRECTORY, { recursive: true, force: true });
const server = await startOfficeServer(); // your code leaves this and baseURL out
const logger = new AuditLogger(DIRECTORY, { storeContent: true });
const client = new AuditedOpenAI({
  baseURL: server.baseURL,
  apiKey: "no-key-needed",
  audit: logger,
});

type Message = OpenAI.Chat.ChatCompletionMessageParam;
type ToolCall = OpenAI.Chat.ChatCompletionMessageFunctionToolCall;

/** What must be kept while a person decides. */
interface Pause {
  readonly messages: Message[];
  readonly run: { readonly id: string; readonly rootId: string };
  readonly call: ToolCall;
  /** Id of the entry that asks for the decision. */
  readonly request: string;
}

/** Calls a tool in a run of its own, and records the call as the entry of that run. */
async function callTool(
  { id, function: { name, arguments: text } }: ToolCall,
  tool: (given: Record<string, unknown>) => Promise<string>,
): Promise<Message> {
  return withAuditContext(
    { run: { name, kind: "tool", toolName: name, toolCallId: id } },
    async () => {
      const { run } = currentAuditContext();
      const input = JSON.parse(text);
      const entry = { operation: "execute_tool", input, run };
      const began = performance.now();
      try {
        const content = await tool(input);
        const latencyMs = performance.now() - began;
        await logger.log({ ...entry, output: content, outcome: "ok", latencyMs });
        return { role: "tool", tool_call_id: id, content };
      } catch (error) {
        const { name: type, message } = error instanceof Error ? error : new Error(String(error));
        const latencyMs = performance.now() - began;
        const failure = { type, message };
        await logger.log({ ...entry, output: "", outcome: "error", error: failure, latencyMs });
        return { role: "tool", tool_call_id: id, content: "The tool failed." };
      }
    },
  );
}

async function search({ invoice }: Record<string, unknown>): Promise<string> {
  if (invoice === 18) throw new Error("the archive does not answer");
  const text = "Invoice 17: 950 EUR to Acme.";
  const document = { id: "inv-17", source: "s3://invoices/invoice-17.pdf", score: 0.93 };
  await logger.log({
    operation: "retrieval",
    outcome: "ok",
    input: `invoice ${String(invoice)}`,
    output: [{ ...document, text }],
    metadata: { documents: [document] },
    run: { name: "archive" },
  });
  return text;
}

/** The sub-agent. Each of its calls is a run within the tool call that started it. */
async function research({ question }: Record<string, unknown>): Promise<string> {
  return withAuditContext({ run: { name: "researcher", kind: "agent" } }, async () => {
    const messages: Message[] = [{ role: "user", content: String(question) }];
    for (;;) {
      const answer = await client.chat.completions.create({ model: "gpt-5-mini", messages });
      const [{ message } = { message: undefined }] = answer.choices;
      if (!message?.tool_calls) return message?.content ?? "";
      messages.push(
        message,
        ...(await Promise.all(
          message.tool_calls.filter(isFunction).map((call) => callTool(call, search)),
        )),
      );
    }
  });
}

function isFunction(call: OpenAI.Chat.ChatCompletionMessageToolCall): call is ToolCall {
  return call.type === "function";
}

/** Asks the supervisor's model, and adds its answer to the messages. */
async function supervise(messages: Message[]): Promise<ToolCall[]> {
  const answer = await client.chat.completions.create({ model: "gpt-5", messages });
  const [choice] = answer.choices;
  if (choice) messages.push(choice.message);
  return choice?.message.tool_calls?.filter(isFunction) ?? [];
}

/** Records that a person must decide on a tool call. */
async function requestReview({
  id,
  function: { name, arguments: text },
}: ToolCall): Promise<string> {
  return logger.log({
    operation: "human_review",
    outcome: "interrupted",
    input: { name, args: JSON.parse(text) },
    output: "",
    metadata: { actions: [name] },
    run: { toolCallId: id },
  });
}

/** 1. ada asks. The loop stops before anything is paid. */
async function ask(question: string): Promise<Pause> {
  const actor = { id: "ada", kind: "user" } as const;
  const run = { name: "supervisor", kind: "agent", threadId: "pay-2" };
  return withAuditContext({ conversationId: "pay-2", actor, run }, async () => {
    const redacted = question.replaceAll(/\S+@\S+\w/g, "[REDACTED_EMAIL]");
    await logger.log({
      operation: "guardrail",
      outcome: "ok",
      input: redacted,
      output: "",
      safetyPassed: false,
      safetyChecks: ["pii:email"],
      detectorsTriggered: ["pii:email"],
      metadata: { modified_at: "input" },
    });
    const messages: Message[] = [{ role: "user", content: redacted }];
    const questions = await supervise(messages);
    messages.push(...(await Promise.all(questions.map((call) => callTool(call, research)))));
    const [call] = await supervise(messages);
    if (!call) throw new Error("the supervisor did not ask for a payment");
    const { id = "", rootId = "" } = currentAuditContext().run ?? {};
    return { messages, run: { id, rootId }, call, request: await requestReview(call) };
  });
}

/** 2. Another process: bob changes the amount, and forbids the e-mail. The end is streamed. */
async function decide({ messages, run: paused, call, request }: Pause): Promise<void> {
  const by = { id: "bob", kind: "user", role: "treasurer" } as const;
  const ids = { threadId: "pay-2", parentId: paused.id, rootId: paused.rootId };
  const run = { name: "supervisor", kind: "agent", ...ids };
  await withAuditContext({ conversationId: "pay-2", actor: by, run }, async () => {
    const args = JSON.parse(call.function.arguments);
    const after = { name: "pay", args: { ...args, amount: 900 } };
    const before = { name: "pay", args };
    await logger.review({
      of: request,
      by,
      verdict: "modified",
      before,
      after,
      reason: "discount",
    });
    const edited = { ...call, function: { name: "pay", arguments: JSON.stringify(after.args) } };
    messages.push(
      await callTool(edited, async ({ amount }) => `paid ${String(amount)} EUR to Acme`),
    );

    const [mail] = await supervise(messages);
    if (!mail) throw new Error("the supervisor did not ask for an e-mail");
    const reason = "no press release about payments";
    await logger.review({ of: await requestReview(mail), by, verdict: "rejected", reason });
    messages.push({ role: "tool", tool_call_id: mail.id, content: `Refused: ${reason}` });

    const stream = await client.chat.completions.create({
      model: "gpt-5",
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");
    process.stdout.write("\n");
  });
}

if (isResumed) await decide(JSON.parse(await readFile(PAUSED, "utf8")));
else {
  const question = "Pay the open invoices of Acme. Questions go to ann@example.com.";
  await writeFile(PAUSED, JSON.stringify(await ask(question)));
}
await logger.close();
await server.stop();

if (!isResumed) {
  const own = [...process.execArgv, fileURLToPath(import.meta.url), "resume"];
  const { stdout } = await promisify(execFile)(process.execPath, own);
  process.stdout.write(stdout);
  console.log(`ai-audit conversation pay-2 ${DIRECTORY}`);
}
