import { OpenAI } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import { API_KEY, only, startBench } from "./fixtures.ts";
import { type Reply } from "./openai-server.ts";

const completion = (texts: readonly string[]): Reply => ({
  json: {
    id: "cmpl-1",
    object: "text_completion",
    model: "gpt-3.5-turbo-instruct",
    choices: texts.map((text, index) => ({ index, text, finish_reason: "stop", logprobs: null })),
    usage: { prompt_tokens: 4, completion_tokens: 6, total_tokens: 10 },
  },
});

const llm = (url: string): OpenAI =>
  new OpenAI({
    model: "gpt-3.5-turbo-instruct",
    apiKey: API_KEY,
    maxRetries: 0,
    configuration: { baseURL: url },
  });

const piece = (text: string, finish: string | null): unknown => ({
  id: "cmpl-1",
  object: "text_completion",
  model: "gpt-3.5-turbo-instruct",
  choices: [{ index: 0, text, finish_reason: finish, logprobs: null }],
});

describe("a legacy LLM call", () => {
  it("is a text completion", async () => {
    await using bench = await startBench(() => completion(["Hi."]));
    await llm(bench.server.url).invoke("Hello!", { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject({
      operation: "text_completion",
      outcome: "ok",
      model: "gpt-3.5-turbo-instruct",
      inputContent: "Hello!",
      outputContent: "Hi.",
      finishReasons: ["stop"],
      inputTokens: 4,
      outputTokens: 6,
    });
  });

  it("of several prompts does not put the batch's usage on the first", async () => {
    await using bench = await startBench(() => completion(["A", "B"]));
    await llm(bench.server.url).generate(["a", "b"], { callbacks: [bench.handler] });
    const entries = await bench.entries();
    expect(
      entries.map(({ inputContent, outputContent }) => `${inputContent} ${outputContent}`),
    ).toEqual(["a A", "b B"]);
    for (const entry of entries)
      expect(entry).toMatchObject({ inputTokens: null, outputTokens: null });
    expect(entries[0]?.usage).toEqual({ batchInputTokens: 4, batchOutputTokens: 6, batchSize: 2 });
    expect(entries[1]?.usage).toBeUndefined();
  });

  it("is recorded when streamed", async () => {
    await using bench = await startBench(() => ({
      events: [piece("One ", null), piece("two", "stop")],
    }));
    for await (const _ of await llm(bench.server.url).stream("Count", {
      callbacks: [bench.handler],
    }));
    expect(only(await bench.entries())).toMatchObject({
      operation: "text_completion",
      outcome: "ok",
      streamed: true,
      outputContent: "One two",
      inputTokens: null,
    });
  });
});
