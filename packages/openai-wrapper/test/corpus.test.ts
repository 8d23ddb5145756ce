// The corpus of odd payloads through the audited client.
import { type AuditEntry, AuditLogger, MemoryStorage } from "@ai-audit/core";
import { corpus, type CorpusCase } from "@ai-audit/test-support/corpus";
import { pinned, startCorpusServer } from "@ai-audit/test-support/corpus-server";
import { describe, expect, it } from "vitest";
import { AuditedOpenAI } from "../src/index.ts";

async function entryOf(
  one: CorpusCase,
): Promise<AuditEntry & { readonly output: unknown; readonly diagnostics: unknown }> {
  await using server = await startCorpusServer(one);
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  const client = new AuditedOpenAI({
    apiKey: "sk-test",
    baseURL: server.url,
    maxRetries: 0,
    audit: logger,
  });
  await ask(client, one).catch(() => undefined); // errors are cases too
  const [entry, ...others] = await Array.fromAsync(logger.entries());
  if (!entry || others.length > 0) throw new Error("expected one entry");
  const { output, diagnostics } = logger.content(entry);
  await logger.close();
  return { ...entry, output, diagnostics };
}

async function ask(client: AuditedOpenAI, { api, events }: CorpusCase): Promise<void> {
  const stream = events !== undefined;
  if (api === "responses") {
    const answer = await client.responses.create({ model: "m", input: "hi", stream });
    if (stream && Symbol.asyncIterator in answer) for await (const _ of answer);
    return;
  }
  const messages = [{ role: "user" as const, content: "hi" }];
  const answer = await client.chat.completions.create({ model: "m", messages, stream });
  if (stream && Symbol.asyncIterator in answer) for await (const _ of answer);
}

const CASES = corpus().map((one) => [one.provider, one.name, one] as const);

describe("the corpus of payloads", () => {
  it("has 60 payloads of ten providers or more", () => {
    expect(CASES.length).toBeGreaterThanOrEqual(60);
    expect(new Set(CASES.map(([provider]) => provider)).size).toBeGreaterThanOrEqual(10);
  });

  it.each(CASES)("leaves its entry: %s, %s", async (_, __, one) => {
    expect(pinned(await entryOf(one))).toEqual(one.client);
  });
});
