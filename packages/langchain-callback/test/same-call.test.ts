// LangChain over an audited client: two layers see one call.
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { tool } from "@langchain/core/tools";
import { ChatOpenAICompletions, ChatOpenAIResponses } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { API_KEY, type Bench, startBench } from "./fixtures.ts";
import {
  chat,
  chatChunks,
  chatFor,
  failure,
  type Reply,
  responded,
  responseEvents,
} from "./openai-server.ts";

class OverAuditedClient extends ChatOpenAICompletions {
  constructor(bench: Bench, timeout?: number) {
    super({ model: "gpt-test", apiKey: API_KEY, maxRetries: 0, callbacks: [bench.handler] });
    const options = {
      apiKey: API_KEY,
      baseURL: bench.server.url,
      maxRetries: 0,
      audit: bench.logger,
    };
    this.client = new AuditedOpenAI({ ...options, ...(timeout !== undefined && { timeout }) });
  }
}

class ResponsesOverAuditedClient extends ChatOpenAIResponses {
  constructor(bench: Bench) {
    super({ model: "gpt-test", apiKey: API_KEY, maxRetries: 0, callbacks: [bench.handler] });
    this.client = new AuditedOpenAI({
      apiKey: API_KEY,
      baseURL: bench.server.url,
      maxRetries: 0,
      audit: bench.logger,
    });
  }
}

/** A busy machine takes its time. */
const WAIT = { timeout: 15_000 };

/**
 * Whether the log holds `count` pairs of linked entries and counts each once; what is wrong with
 * them otherwise.
 */
async function problemsOf(bench: Bench, count: number): Promise<string[]> {
  await expect.poll(async () => (await bench.entries()).length, WAIT).toBe(2 * count); // an abort is told to its caller first
  const entries = await bench.entries();
  const linked = entries.filter(({ run }) => run?.sameCallAs !== undefined);
  const originals = new Map(
    entries.filter(({ run }) => run?.sameCallAs === undefined).map((entry) => [entry.id, entry]),
  );
  const problems: string[] = [];
  for (const entry of linked) {
    const original = originals.get(entry.run?.sameCallAs ?? "");
    originals.delete(entry.run?.sameCallAs ?? "");
    const told = [entry, original].map((one) =>
      JSON.stringify([one?.outcome, one?.responseId, one?.inputTokens]),
    );
    if (told[0] !== told[1]) problems.push(`they differ: ${told.join(" ")}`);
    // Only the framework knows of runs; either may be written first.
    if ((entry.run?.id === undefined) === (original?.run?.id === undefined))
      problems.push("both are of one layer");
  }
  if (originals.size > 0) problems.push(`${originals.size} are not linked`);
  const counted = [await bench.logger.count(), (await bench.logger.health()).lastHour?.entries];
  if (counted.some((one) => one !== count)) problems.push(`counted ${counted.join(" and ")}`);
  return problems;
}

describe("a call through LangChain and an audited client", () => {
  it("is two linked entries that count once, invoked, streamed or in a batch", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const model = new OverAuditedClient(bench);
    await model.invoke("Hello!");
    for await (const _ of await model.stream("Hello!"));
    await model.batch(["a", "b", "c"]);
    expect(await problemsOf(bench, 5)).toEqual([]);
  });

  it("is linked over the Responses API", async () => {
    await using bench = await startBench((request) =>
      request.body["stream"] === true
        ? { events: responseEvents("Hi there") }
        : responded("Hi there"),
    );
    const model = new ResponsesOverAuditedClient(bench);
    await model.invoke("Hello!");
    for await (const _ of await model.stream("Hello!"));
    expect(await problemsOf(bench, 2)).toEqual([]);
  });

  it("is linked when the server gives every answer the same id", async () => {
    await using bench = await startBench((request) =>
      chatFor(request, "Hi.", { id: "chatcmpl-same" }),
    );
    const model = new OverAuditedClient(bench);
    for (let call = 0; call < 3; call++) await model.invoke("Hello!");
    expect(await problemsOf(bench, 3)).toEqual([]);
  });

  it("is linked when it fails with an answer", async () => {
    await using bench = await startBench(() => failure(500, { message: "fell over" }));
    await expect(new OverAuditedClient(bench).invoke("Hello!")).rejects.toThrow("fell over");
    expect(await problemsOf(bench, 1)).toEqual([]);
  });

  it("is linked when it is aborted in the middle of its stream", async () => {
    await using bench = await startBench(() => ({
      events: chatChunks(["One ", "two "], { cut: true }),
      after: "hang",
    }));
    const abort = new AbortController();
    const reading = (async () => {
      for await (const chunk of await new OverAuditedClient(bench).stream("Count", {
        signal: abort.signal,
      })) {
        if (chunk.text === "two ") setTimeout(() => abort.abort(), 20);
      }
    })();
    await expect(reading).rejects.toThrow(/abort/i);
    expect(await problemsOf(bench, 1)).toEqual([]);
  });

  describe("that ends without a response and so without an id", () => {
    it.each<[string, Reply, (model: OverAuditedClient) => Promise<unknown>]>([
      ["by a lost connection", { events: [], after: "break" }, (model) => model.invoke("Hello!")],
      [
        "by an abort",
        { hang: true },
        (model) => model.invoke("Hello!", { signal: AbortSignal.timeout(300) }),
      ],
      ["by a time limit", { hang: true }, (model) => model.invoke("Hello!", { timeout: 300 })],
    ])("leaves two entries that are not linked: %s", async (_, reply, run) => {
      await using bench = await startBench(() => reply);
      await expect(run(new OverAuditedClient(bench))).rejects.toThrow(
        /abort|time|terminated|closed|JSON|Connection/i,
      );
      await expect.poll(async () => (await bench.entries()).length, WAIT).toBe(2);
      expect((await bench.entries()).map(({ run: place }) => place?.sameCallAs)).toEqual([
        undefined,
        undefined,
      ]);
      expect(await bench.logger.count()).toBe(2);
    });
  });

  it("leaves other entries alone", async () => {
    await using bench = await startBench(() => chat("Hi."));
    await bench.model().invoke("framework only", { callbacks: [bench.handler] });
    const client = new AuditedOpenAI({
      apiKey: API_KEY,
      baseURL: bench.server.url,
      audit: bench.logger,
    });
    await client.chat.completions.create({
      model: "gpt-test",
      messages: [{ role: "user", content: "client only" }],
    });
    const look = tool(() => "blue", { name: "look", schema: z.object({}) });
    await look.invoke({}, { callbacks: [bench.handler] });
    expect((await bench.entries()).map(({ run }) => run?.sameCallAs)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(await bench.logger.count()).toBe(3);
  });
});
