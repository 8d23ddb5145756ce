import { InMemoryCache } from "@langchain/core/caches";
import { HumanMessage, SystemMessage } from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import type { ChatOpenAI } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { only, startBench } from "./fixtures.ts";
import {
  chat,
  chatFor,
  failure,
  lastText,
  responded,
  responseEvents,
  type Reply,
} from "./openai-server.ts";

const countCharacters = async (content: unknown): Promise<number> => String(content).length;

/** The host's own tokenizer needs files from the network. */
function estimating(model: ChatOpenAI): ChatOpenAI {
  for (const one of [model, Reflect.get(model, "completions") as object])
    Reflect.set(one, "getNumTokens", countCharacters);
  return model;
}

describe("a chat model call", () => {
  it("leaves one entry, durable before invoke resolves", async () => {
    await using bench = await startBench();
    await bench.model().invoke("Hello!", { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject({
      operation: "chat",
      outcome: "ok",
      provider: null, // the server is not one that is known
      server: { address: "127.0.0.1", port: Number(new URL(bench.server.url).port) },
      model: "gpt-test",
      responseModel: "gpt-test-2026",
      finishReasons: ["stop"],
      inputTokens: 11,
      outputTokens: 7,
      usage: { cachedInputTokens: 3, reasoningOutputTokens: 2, source: "reported" },
      safetyPassed: true,
      inputContent: "Hello!",
      outputContent: "Hi.",
    });
    expect(bench.handler.stats).toEqual({ open: 0, written: 1, lost: 0 });
  });

  it("is one entry however often the handler is registered", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const { handler } = bench;
    const model = bench.model({ callbacks: [handler] });
    await model.invoke("a", { callbacks: [handler, handler] });
    for await (const _ of await model.stream("b", { callbacks: [handler] }));
    const chain = ChatPromptTemplate.fromMessages([["human", "{q}"]])
      .pipe(model)
      .withConfig({ callbacks: [handler] });
    await chain.invoke({ q: "c" }, { callbacks: [handler] });
    expect((await bench.entries()).map((entry) => entry.inputContent)).toEqual(["a", "b", "c"]);
    expect(handler.stats).toEqual({ open: 0, written: 3, lost: 0 });
  });

  it("is recorded when streamed, with the time to its first token", async () => {
    await using bench = await startBench((request) => chatFor(request, "One two three"));
    let text = "";
    for await (const chunk of await bench.model().stream("Count", { callbacks: [bench.handler] }))
      text += chunk.text;
    expect(text).toBe("One two three");
    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      outcome: "ok",
      streamed: true,
      outputContent: "One two three",
      inputTokens: 11,
      outputTokens: 7,
      finishReasons: ["stop"],
      responseModel: "gpt-test-2026",
    });
    expect(entry.responseId).toMatch(/^chatcmpl-\d+$/);
    expect(entry.timeToFirstTokenMs).toBeGreaterThan(0);
    expect(entry.latencyMs).toBeGreaterThanOrEqual(entry.timeToFirstTokenMs ?? Infinity);
  });

  it("is recorded once by streamEvents, whatever its version", async () => {
    await using bench = await startBench((request) => chatFor(request, "One two"));
    const chain = ChatPromptTemplate.fromTemplate("{q}").pipe(bench.model());
    for await (const _ of chain.streamEvents(
      { q: "v2" },
      { version: "v2", callbacks: [bench.handler] },
    ));
    for await (const _ of chain.streamEvents(
      { q: "v1" },
      { version: "v1", callbacks: [bench.handler] },
    ));
    const entries = await bench.entries();
    expect(entries.map(({ inputContent, outputContent }) => [inputContent, outputContent])).toEqual(
      [
        ["v2", "One two"],
        ["v1", "One two"],
      ],
    );
  });

  it("has the usage that was reported, not the host's estimate, when invoke streams underneath", async () => {
    await using bench = await startBench((request) => chatFor(request, "One two three"));
    await estimating(bench.model({ streaming: true })).invoke("Count", {
      callbacks: [bench.handler],
    });
    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      inputTokens: 11,
      outputTokens: 7,
      usage: { source: "reported" },
      streamed: true,
    });
  });

  it("has the host's estimate, marked, when nothing was reported", async () => {
    await using bench = await startBench((request) =>
      chatFor(request, "One two three", { usage: null }),
    );
    const model = estimating(bench.model({ streaming: true, streamUsage: false }));
    await model.invoke("Count", { callbacks: [bench.handler] });
    const entry = only(await bench.entries());
    expect(entry.usage).toEqual({ source: "estimated" });
    expect(entry.outputTokens).toBeGreaterThan(0);
  });

  it("has null for usage that nobody knows", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi.", { usage: null }));
    for await (const _ of await bench.model().stream("Hello!", { callbacks: [bench.handler] }));
    await bench.model().invoke("Hello!", { callbacks: [bench.handler] });
    for (const entry of await bench.entries()) {
      expect(entry).toMatchObject({ outcome: "ok", inputTokens: null, outputTokens: null });
      expect(entry.usage).toBeUndefined();
    }
  });

  it("counts usage once for several candidates, and keeps all of them", async () => {
    await using bench = await startBench(() => chat("one", { more: ["two", "three"] }));
    await bench
      .model({ n: 3 })
      .generate([[new HumanMessage("Pick")]], { callbacks: [bench.handler] });
    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      inputTokens: 11,
      outputTokens: 7,
      finishReasons: ["stop", "stop", "stop"],
      parameters: { n: 3 },
    });
    expect(bench.content(entry).output).toEqual(["one", "two", "three"]);
  });

  it("is one entry for each input of a batch", async () => {
    await using bench = await startBench((request) => chat(`re: ${lastText(request)}`));
    await bench.model().batch(["a", "b", "c"], { callbacks: [bench.handler] });
    const pairs = (await bench.entries()).map(
      (entry) => `${entry.inputContent} ${entry.outputContent}`,
    );
    expect(pairs.toSorted((x, y) => x.localeCompare(y))).toEqual(["a re: a", "b re: b", "c re: c"]);
  });

  it("of a generate in which one prompt fails has its own end each", async () => {
    await using bench = await startBench((request) =>
      lastText(request) === "bad" ? failure(500, { message: "server fell over" }) : chat("good"),
    );
    const prompts = ["ok", "bad"].map((text) => [new HumanMessage(text)]);
    await expect(bench.model().generate(prompts, { callbacks: [bench.handler] })).rejects.toThrow(
      "server fell over",
    );
    await expect
      .poll(() => bench.handler.stats, { timeout: 15_000 })
      .toEqual({ open: 0, written: 2, lost: 0 });
    const outcomes = (await bench.entries()).map(
      (entry) => `${entry.inputContent} ${entry.outcome}`,
    );
    expect(outcomes.toSorted((x, y) => x.localeCompare(y))).toEqual(["bad error", "ok ok"]);
  });

  it("that fails is an error with code and status and without the key", async () => {
    await using bench = await startBench(() =>
      failure(401, {
        message: "Incorrect API key provided: sk-proj-****ghij.",
        type: "invalid_request_error",
        code: "invalid_api_key",
      }),
    );
    await expect(bench.model().invoke("Hello!", { callbacks: [bench.handler] })).rejects.toThrow(
      "Incorrect API key",
    );
    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      outcome: "error",
      error: { type: "AuthenticationError", status: 401, code: "invalid_api_key" },
      inputTokens: null,
      outputTokens: null,
      safetyPassed: true,
    });
    expect(entry.diagnosticsContent).toContain("Incorrect API key provided: [REDACTED]");
    expect(JSON.stringify(entry)).not.toContain("ghij");
    expect(entry.requestId).toMatch(/^req_/);
  });

  it("is one entry over all HTTP attempts of the host's own retries", async () => {
    await using bench = await startBench((_, index) =>
      index === 0 ? failure(500, { message: "again" }) : chat("Hi."),
    );
    await bench.model({ maxRetries: 2 }).invoke("Hello!", { callbacks: [bench.handler] });
    expect(bench.server.requests).toHaveLength(2);
    expect(only(await bench.entries())).toMatchObject({ outcome: "ok", outputContent: "Hi." });
  });

  it("answered from the cache says so and costs nothing", async () => {
    await using bench = await startBench();
    const model = bench.model({ cache: new InMemoryCache(), callbacks: [bench.handler] });
    await model.invoke("Hello!");
    await model.invoke("Hello!");
    expect(bench.server.requests).toHaveLength(1);
    const [first, second, ...rest] = await bench.entries();
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ inputTokens: 11, usage: { source: "reported" } });
    expect(second).toMatchObject({
      outputContent: "Hi.",
      inputTokens: 0,
      outputTokens: 0,
      usage: { source: "cached" },
    });
    expect(second?.streamed).toBeUndefined();
    expect(second?.timeToFirstTokenMs).toBeUndefined();
  });

  it("keeps the parameters on the list and nothing else of the request's options", async () => {
    await using bench = await startBench();
    const model = bench.model({
      temperature: 0.5,
      topP: 0.9,
      maxTokens: 20,
      stop: ["END"],
      user: "somebody",
    });
    await model.invoke("Hello!", {
      callbacks: [bench.handler],
      seed: 7,
      options: { headers: { "x-secret": "s3cret" } },
    });
    const { parameters } = only(await bench.entries());
    expect(parameters).toEqual({
      temperature: 0.5,
      top_p: 0.9,
      max_tokens: 20,
      stop: ["END"],
      stream: false,
      seed: 7,
    });
  });

  it("with structured output keeps the schema that the model saw", async () => {
    await using bench = await startBench((request) =>
      request.body["tools"]
        ? chat(null, { toolCalls: [{ id: "call_1", name: "extract", args: { age: 7 } }] })
        : chat('{"age":7}'),
    );
    const schema = z.object({ age: z.number() });
    for (const method of ["functionCalling", "jsonSchema"] as const) {
      const model = bench.model().withStructuredOutput(schema, { method, name: "extract" });
      expect(await model.invoke("Seven years old", { callbacks: [bench.handler] })).toEqual({
        age: 7,
      });
    }
    const [called, formatted, ...rest] = await bench.entries();
    expect(rest).toEqual([]);
    expect(called?.parameters).toMatchObject({ tools: ["extract"] });
    expect(bench.content(called)).toMatchObject({
      input: {
        messages: [{ role: "user", content: "Seven years old" }],
        tools: [{ function: { name: "extract" } }],
      },
      output: {
        role: "assistant",
        tool_calls: [{ id: "call_1", name: "extract", args: { age: 7 } }],
      },
    });
    expect(formatted?.parameters).toMatchObject({ response_format: "json_schema" });
    expect(bench.content(formatted)).toMatchObject({
      input: {
        messages: [{ role: "user" }],
        response_format: { json_schema: { schema: { type: "object" } } },
      },
      output: '{"age":7}',
    });
  });

  it("over the Responses API has that API's id, model and status, streamed or not", async () => {
    await using bench = await startBench((request) =>
      request.body["stream"] === true
        ? { events: responseEvents("Hi there") }
        : responded("Hi there"),
    );
    const model = bench.model({ useResponsesApi: true, callbacks: [bench.handler] });
    await model.invoke("Hello!");
    for await (const _ of await model.stream("Hello!"));
    const entries = await bench.entries();
    expect(entries).toHaveLength(2);
    for (const entry of entries) {
      expect(entry).toMatchObject({
        outcome: "ok",
        inputContent: "Hello!",
        outputContent: "Hi there",
        responseModel: "gpt-test-2026",
        finishReasons: ["completed"],
        inputTokens: 11,
        outputTokens: 7,
        usage: { cachedInputTokens: 3, reasoningOutputTokens: 2, source: "reported" },
      });
      expect(entry.responseId).toMatch(/^resp_/);
    }
    expect(entries.map(({ streamed }) => streamed)).toEqual([undefined, true]);
  });

  it("snapshots its messages: what the caller changes afterwards does not count", async () => {
    await using bench = await startBench((request): Reply => chatFor(request, "Hi."));
    const messages = [new SystemMessage("Be brief."), new HumanMessage("Hello!")];
    const pending = bench.model().invoke(messages, { callbacks: [bench.handler] });
    await expect.poll(() => bench.server.requests.length, { timeout: 15_000 }).toBe(1);
    messages[1]!.content = "changed";
    messages.push(new HumanMessage("added"));
    await pending;
    expect(bench.content(only(await bench.entries())).input).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hello!" },
    ]);
  });
});

describe("20 concurrent batches", () => {
  it("do not mix inputs, outputs or conversations", async () => {
    await using bench = await startBench(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
      return chatFor(request, `re: ${lastText(request)}`);
    });
    const model = bench.model();
    const chain = ChatPromptTemplate.fromTemplate("{q}").pipe(model);
    await Promise.all(
      Array.from({ length: 20 }, async (_unused, batch) => {
        const config = {
          callbacks: [bench.handler],
          metadata: { session_id: `s${batch}` },
          tags: [`tag${batch}`],
        };
        const inputs = Array.from({ length: 5 }, (_each, index) => ({ q: `b${batch}-${index}` }));
        await chain.batch(inputs, config);
        for await (const _ of await chain.stream({ q: `b${batch}-s` }, config));
      }),
    );
    const entries = await bench.entries();
    expect(entries).toHaveLength(120);
    for (const entry of entries) {
      const batch = /^b(\d+)-/.exec(entry.inputContent ?? "")?.[1];
      expect(entry).toMatchObject({
        outcome: "ok",
        outputContent: `re: ${entry.inputContent}`,
        conversationId: `s${batch}`,
      });
      expect(entry.run).toMatchObject({ tags: [`tag${batch}`], path: ["RunnableSequence"] });
    }
    expect(new Set(entries.map(({ inputContent }) => inputContent)).size).toBe(120);
    expect(bench.handler.stats).toEqual({ open: 0, written: 120, lost: 0 });
  });
});

describe("a handler on ChatOpenAI", () => {
  it("does not change the request that is sent", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const bodies: unknown[] = [];
    for (const callbacks of [[], [bench.handler]]) {
      const model: ChatOpenAI = bench.model();
      await model.invoke("Hello!", { callbacks });
      for await (const _ of await model.stream("Hello!", { callbacks }));
      await model.batch(["a"], { callbacks });
      bodies.push(bench.server.requests.splice(0).map(({ body }) => body));
    }
    expect(bodies[1]).toEqual(bodies[0]);
  });
});
