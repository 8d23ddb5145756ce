// One call of ChatOpenAI against one answer of the corpus, and its entry.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import type { CorpusCase, Pinned } from "@ai-audit/test-support/corpus";
import { pinned, startCorpusServer } from "@ai-audit/test-support/corpus-server";
import { ChatOpenAI } from "@langchain/openai";
import { AuditCallbackHandler } from "../src/index.ts";
import { only } from "./fixtures.ts";

/** The members of the only entry that say something. */
export async function handlerEntry(one: CorpusCase): Promise<Pinned> {
  await using server = await startCorpusServer(one);
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  const model = new ChatOpenAI({
    model: "m",
    apiKey: "sk-test",
    maxRetries: 0,
    useResponsesApi: one.api === "responses",
    configuration: { baseURL: server.url },
    callbacks: [new AuditCallbackHandler(logger)],
  });
  await ask(model, one).catch(() => undefined); // errors are cases too
  const entry = only(await Array.fromAsync(logger.entries()));
  const { output, diagnostics } = logger.content(entry);
  await logger.close();
  return pinned({ ...entry, output, diagnostics });
}

async function ask(model: ChatOpenAI, { events }: CorpusCase): Promise<void> {
  if (events === undefined) await model.invoke("hi");
  else for await (const _ of await model.stream("hi"));
}
