// LangChain over an audited client: two layers see one call.
import { tool } from "@langchain/core/tools";
import { ChatOpenAICompletions, ChatOpenAIResponses } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AuditedOpenAI } from "../../openai-wrapper/src/index.ts";
import { API_KEY, type Bench, startBench } from "./fixtures.ts";
import { chat, chatChunks, chatFor, failure, response, responseEvents } from "./openai-server.ts";

class OverAuditedClient extends ChatOpenAICompletions {
  constructor(bench: Bench) {
    super({ model: "gpt-test", apiKey: API_KEY, maxRetries: 0, callbacks: [bench.handler] });
    this.client = new AuditedOpenAI({ apiKey: API_KEY, baseURL: bench.server.url, maxRetries: 0, audit: bench.logger });
  }
}

class ResponsesOverAuditedClient extends ChatOpenAIResponses {
  constructor(bench: Bench) {
    super({ model: "gpt-test", apiKey: API_KEY, maxRetries: 0, callbacks: [bench.handler] });
    this.client = new AuditedOpenAI({ apiKey: API_KEY, baseURL: bench.server.url, maxRetries: 0, audit: bench.logger });
  }
}

/** Pairs of client entry and framework entry; fails when they are not pairs. */
async function pairs(bench: Bench, count: number): Promise<void> {
  await expect.poll(async () => (await bench.entries()).length).toBe(2 * count); // an abort is told to its caller first
  const entries = await bench.entries();
  const linked = entries.filter(({ run }) => run?.sameCallAs !== undefined);
  const originals = entries.filter(({ run }) => run?.sameCallAs === undefined);
  expect(linked).toHaveLength(count);
  expect(originals).toHaveLength(count);
  expect(new Set(linked.map(({ run }) => run?.sameCallAs))).toEqual(new Set(originals.map(({ id }) => id)));
  for (const entry of linked) {
    const original = originals.find(({ id }) => id === entry.run?.sameCallAs);
    // Only the framework knows of runs; either may be written first.
    expect([entry, original].filter((one) => one?.run?.id !== undefined)).toHaveLength(1);
    expect([entry.outcome, entry.responseId, entry.inputTokens]).toEqual([
      original?.outcome,
      original?.responseId,
      original?.inputTokens,
    ]);
  }
  expect(await bench.logger.count()).toBe(count);
  expect((await bench.logger.health()).lastHour.entries).toBe(count);
}

describe("a call through LangChain and an audited client", () => {
  it("is two linked entries that count once, invoked, streamed or in a batch", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const model = new OverAuditedClient(bench);
    await model.invoke("Hello!");
    for await (const _ of await model.stream("Hello!"));
    await model.batch(["a", "b", "c"]);
    await pairs(bench, 5);
  });

  it("is linked over the Responses API", async () => {
    await using bench = await startBench((request) =>
      request.body["stream"] === true ? { events: responseEvents("Hi there") } : response("Hi there"),
    );
    const model = new ResponsesOverAuditedClient(bench);
    await model.invoke("Hello!");
    for await (const _ of await model.stream("Hello!"));
    await pairs(bench, 2);
  });

  it("is linked when the server gives every answer the same id", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi.", { id: "chatcmpl-same" }));
    const model = new OverAuditedClient(bench);
    for (let call = 0; call < 3; call++) await model.invoke("Hello!");
    await pairs(bench, 3);
  });

  it("is linked when it fails with an answer", async () => {
    await using bench = await startBench(() => failure(500, { message: "fell over" }));
    await expect(new OverAuditedClient(bench).invoke("Hello!")).rejects.toThrow("fell over");
    await pairs(bench, 1);
  });

  it("is linked when it fails without one", async () => {
    await using bench = await startBench();
    const model = new OverAuditedClient(bench);
    bench.server.respond = () => ({ events: [], then: "break" });
    await expect(model.invoke("Hello!")).rejects.toThrow();
    await pairs(bench, 1);
  });

  it("is linked when it is aborted in the middle of its stream", async () => {
    await using bench = await startBench(() => ({ events: chatChunks(["One ", "two "], { cut: true }), then: "hang" }));
    const abort = new AbortController();
    const reading = (async () => {
      for await (const chunk of await new OverAuditedClient(bench).stream("Count", { signal: abort.signal })) {
        if (chunk.text === "two ") setTimeout(() => abort.abort(), 20);
      }
    })();
    await expect(reading).rejects.toThrow();
    await pairs(bench, 1);
  });

  it("leaves other entries alone", async () => {
    await using bench = await startBench(() => chat("Hi."));
    await bench.model().invoke("framework only", { callbacks: [bench.handler] });
    const client = new AuditedOpenAI({ apiKey: API_KEY, baseURL: bench.server.url, audit: bench.logger });
    await client.chat.completions.create({ model: "gpt-test", messages: [{ role: "user", content: "client only" }] });
    const look = tool(() => "blue", { name: "look", schema: z.object({}) });
    await look.invoke({}, { callbacks: [bench.handler] });
    expect((await bench.entries()).map(({ run }) => run?.sameCallAs)).toEqual([undefined, undefined, undefined]);
    expect(await bench.logger.count()).toBe(3);
  });
});
