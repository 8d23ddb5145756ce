// The corpus of odd payloads through ChatOpenAI and the handler: outcome and safety, where LangChain
// carries the answer that far.
import { type AuditEntry, AuditLogger, MemoryStorage } from "@ai-audit/core";
import { corpus, type CorpusCase } from "@ai-audit/test-support/corpus";
import { pinned, startCorpusServer } from "@ai-audit/test-support/corpus-server";
import { ChatOpenAI } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import { AuditCallbackHandler } from "../src/index.ts";
import { only } from "./fixtures.ts";

async function entryOf(one: CorpusCase): Promise<AuditEntry> {
  await using server = await startCorpusServer(one);
  const logger = new AuditLogger(new MemoryStorage());
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
  await logger.close();
  return entry;
}

async function ask(model: ChatOpenAI, { events }: CorpusCase): Promise<void> {
  if (events === undefined) await model.invoke("hi");
  else for await (const _ of await model.stream("hi"));
}

const CARRIED = corpus().flatMap((one) =>
  one.handler === null ? [] : [[one.provider, one.name, one, one.handler] as const],
);

describe("the corpus of payloads", () => {
  it.each(CARRIED)(
    "has its outcome and its safety fields: %s, %s",
    async (_, __, one, expected) => {
      const entry = pinned(await entryOf(one));
      const said = Object.fromEntries(Object.keys(expected).map((name) => [name, entry[name]]));
      expect(said).toEqual(expected);
    },
  );
});
