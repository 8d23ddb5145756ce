// An agent that pays invoices, and a person who decides, with LangChain: who asked, who decided, what
// was paid, and on which document it rests are read from the log with the command `ai-audit`.
import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { deserialize, serialize } from "node:v8";
import { AuditLogger } from "@ai-audit/core";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import { Document } from "@langchain/core/documents";
import { BaseRetriever } from "@langchain/core/retrievers";
import { Command, MemorySaver } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import {
  createAgent,
  humanInTheLoopMiddleware,
  piiMiddleware,
  tool,
  toolRetryMiddleware,
} from "langchain";
import { z } from "zod";
import { middleware } from "./support/middleware.ts";
import { startOfficeServer } from "./support/office-server.ts";

const DIRECTORY = "./audit-logs/agent-in-langgraph";
const PAUSED = "./audit-logs/agent-in-langgraph.paused";
const isResumed = process.argv[2] === "resume";

const server = await startOfficeServer(); // your code leaves this and baseURL out
const model = (name: string, fields: object = {}): ChatOpenAI =>
  new ChatOpenAI({
    model: name,
    apiKey: "no-key-needed",
    configuration: { baseURL: server.baseURL },
    ...fields,
  });

// The documents. Invoice 18 is in an archive that does not answer.
class Archive extends BaseRetriever {
  lc_namespace = ["example", "archive"];

  static override lc_name(): string {
    return "Archive";
  }

  override async _getRelevantDocuments(query: string): Promise<Document[]> {
    if (query.includes("18")) throw new Error("the archive does not answer");
    const metadata = { source: "s3://invoices/invoice-17.pdf", score: 0.93 };
    return [new Document({ id: "inv-17", pageContent: "Invoice 17: 950 EUR to Acme.", metadata })];
  }
}

const archive = new Archive();
const search = tool(
  async ({ invoice }) => (await archive.invoke(`invoice ${invoice}`))[0]?.pageContent,
  {
    name: "search",
    description: "Searches the archive.",
    schema: z.object({ invoice: z.number() }),
  },
);
const researcher = createAgent({
  name: "researcher",
  model: model("gpt-5-mini"),
  tools: [search],
  middleware: [middleware(toolRetryMiddleware, { maxRetries: 0, onFailure: "continue" })],
});

const research = tool(
  async ({ question }) => {
    const { messages } = await researcher.invoke({ messages: question });
    return messages.at(-1)?.text;
  },
  {
    name: "research",
    description: "Asks the researcher.",
    schema: z.object({ question: z.string() }),
  },
);
const pay = tool(({ to, amount }) => `paid ${amount} EUR to ${to}`, {
  name: "pay",
  description: "Pays.",
  schema: z.object({ to: z.string(), amount: z.number(), invoice: z.number() }),
});
const sendMail = tool(({ to }) => `sent to ${to}`, {
  name: "send_mail",
  description: "Sends an e-mail.",
  schema: z.object({ to: z.string(), text: z.string() }),
});

const checkpointer = new MemorySaver(); // your code has a database
if (isResumed) Object.assign(checkpointer, deserialize(await readFile(PAUSED)));
const supervisor = createAgent({
  name: "supervisor",
  model: model("gpt-5"),
  tools: [research, pay, sendMail],
  checkpointer,
  middleware: [
    middleware(piiMiddleware, "email", { strategy: "redact" }),
    middleware(humanInTheLoopMiddleware, {
      interruptOn: {
        pay: { allowedDecisions: ["approve", "edit", "reject"] },
        send_mail: { allowedDecisions: ["approve", "reject"] },
      },
    }),
  ],
});

if (!isResumed) await rm(DIRECTORY, { recursive: true, force: true });
const logger = new AuditLogger(DIRECTORY, { storeContent: true });
const handler = new AuditCallbackHandler(logger);
const config = (userId: string) => ({
  callbacks: [handler],
  configurable: { thread_id: "pay-1" },
  metadata: { user_id: userId },
});

if (isResumed) {
  // 2. Another process: bob changes the amount, and forbids the e-mail. The end is streamed.
  const args = { to: "Acme", amount: 900, invoice: 17 };
  const edit = { type: "edit", editedAction: { name: "pay", args } };
  await supervisor.invoke(new Command({ resume: { decisions: [edit] } }), config("bob"));
  const reject = { type: "reject", message: "no press release about payments" };
  const stream = await supervisor.stream(new Command({ resume: { decisions: [reject] } }), {
    ...config("bob"),
    streamMode: "messages",
  });
  for await (const [message] of stream)
    if (message.type === "ai") process.stdout.write(message.text);
  process.stdout.write("\n");
} else {
  // 1. ada asks. The agent stops before it pays.
  const question = "Pay the open invoices of Acme. Questions go to ann@example.com.";
  await supervisor.invoke({ messages: question }, config("ada"));
  const { storage, writes } = checkpointer;
  await writeFile(PAUSED, serialize({ storage, writes }));
}
await logger.close();
await server.stop();

if (!isResumed) {
  const own = [...process.execArgv, fileURLToPath(import.meta.url), "resume"];
  const { stdout } = await promisify(execFile)(process.execPath, own);
  process.stdout.write(stdout);
  console.log(`ai-audit conversation pay-1 ${DIRECTORY}`);
}
