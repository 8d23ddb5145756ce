import { Document } from "@langchain/core/documents";
import { BaseRetriever } from "@langchain/core/retrievers";
import { tool } from "@langchain/core/tools";
import { MemorySaver } from "@langchain/langgraph";
import { createAgent, modelFallbackMiddleware, modelRetryMiddleware } from "langchain";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AuditCallbackHandler } from "../src/index.ts";
import { middleware, OLDEST_HOST, only, startBench } from "./fixtures.ts";
import { chatChunks, chatFor, failure, lastText, type Respond } from "./openai-server.ts";
import { askFor, weather, user } from "./asked-agent.ts";

describe("an agent with tools", () => {
  it.skipIf(OLDEST_HOST)(
    "leaves an entry for every model call and every tool call, linked",
    async () => {
      await using bench = await startBench(
        askFor(
          [
            { name: "weather", args: { city: "Rome" } },
            { name: "weather", args: { city: "Oslo" } },
          ],
          "Sunny.",
        ),
      );
      const agent = createAgent({
        model: bench.model(),
        tools: [weather],
        name: "forecaster",
        checkpointer: new MemorySaver(),
      });
      await agent.invoke(user("Weather?"), {
        callbacks: [bench.handler],
        configurable: { thread_id: "t1" },
        tags: ["mine"],
      });
      const entries = await bench.entries();
      expect(entries.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
        "chat ok",
        "execute_tool ok",
        "chat ok",
        "execute_tool ok",
        "chat ok",
      ]);
      const [first, firstTool, second, secondTool] = entries;
      for (const entry of entries) {
        expect(entry).toMatchObject({
          conversationId: "t1",
          run: { threadId: "t1", agentName: "forecaster", tags: ["mine"] },
        });
      }
      expect(first).toMatchObject({ operation: "chat", model: "gpt-test" });
      expect(first?.run).toMatchObject({
        path: ["forecaster", "model_request"],
        node: "model_request",
        step: 1,
      });
      expect(firstTool?.run).toMatchObject({
        path: ["forecaster", "tools"],
        node: "tools",
        toolName: "weather",
        toolCallId: "call_1",
        requestedBy: first?.id,
        requestedByRun: first?.run?.id,
      });
      expect(secondTool?.run).toMatchObject({ toolCallId: "call_2", requestedBy: second?.id });
      expect(bench.content(firstTool)).toEqual({
        input: { city: "Rome" },
        output: "sunny in Rome",
      });
      expect(bench.handler.stats).toEqual({ open: 0, written: 5, lost: 0 });
    },
  );

  it("leaves the same entries when streamed", async () => {
    await using bench = await startBench(
      askFor([{ name: "weather", args: { city: "Rome" } }], "Sunny."),
    );
    const agent = createAgent({ model: bench.model(), tools: [weather] });
    for (const streamMode of ["updates", "messages", "values"] as const) {
      for await (const _ of await agent.stream(user("Weather?"), {
        callbacks: [bench.handler],
        streamMode,
      }));
    }
    const entries = await bench.entries();
    const kinds = entries.map(
      ({ operation, outputContent }) => `${operation} ${outputContent?.slice(0, 14)}`,
    );
    const once = ['chat {"content":"",', "execute_tool sunny in Rome", "chat Sunny."];
    expect(kinds).toEqual([...once, ...once, ...once]);
    expect(bench.handler.stats.open).toBe(0);
  });

  it.skipIf(OLDEST_HOST)(
    "leaves the same entries when read by content blocks, and keeps what came before an abort",
    async () => {
      await using bench = await startBench(
        askFor([{ name: "weather", args: { city: "Rome" } }], "Sunny."),
      );
      const agent = createAgent({ model: bench.model(), tools: [weather] });
      const read = async (abort?: AbortController): Promise<void> => {
        const config = {
          version: "v3" as const,
          callbacks: [bench.handler],
          ...(abort && { signal: abort.signal }),
        };
        for await (const event of await agent.streamEvents(user("Weather?"), config)) {
          if (JSON.stringify(event).includes('"answer"')) setTimeout(() => abort?.abort(), 20);
        }
      };
      await read();
      const [first, , last] = await bench.entries();
      expect(first).toMatchObject({
        outcome: "ok",
        streamed: true,
        inputTokens: 11,
        outputTokens: 7,
      });
      expect(first?.timeToFirstTokenMs).toBeGreaterThan(0);
      expect(bench.content(first).output).toEqual({
        role: "assistant",
        content: "",
        tool_calls: [{ id: "call_1", name: "weather", args: { city: "Rome" } }],
      });
      expect(last).toMatchObject({ outcome: "ok", streamed: true, outputContent: "Sunny." });

      bench.server.respond = () => ({
        events: chatChunks(["Half an ", "answer"], { cut: true }),
        after: "hang",
      });
      await expect(read(new AbortController())).rejects.toThrow("aborted");
      await expect
        .poll(() => bench.handler.stats, { timeout: 15_000 })
        .toEqual({ open: 0, written: 4, lost: 0 });
      expect((await bench.entries())[3]).toMatchObject({
        outcome: "aborted",
        streamed: true,
        outputContent: "Half an answer",
      });
    },
  );

  it.skipIf(OLDEST_HOST)(
    "calls a sub-agent through a tool, and every entry knows its path",
    async () => {
      await using bench = await startBench((request) =>
        lastText(request) === "research"
          ? chatFor(request, "findings")
          : askFor([{ name: "delegate", args: { task: "research" } }], "Done.")(request, 0),
      );
      const researcher = createAgent({ model: bench.model(), tools: [], name: "researcher" });
      const delegate = tool(
        async ({ task }, config) => {
          const { messages } = await researcher.invoke(user(task), config);
          return messages.at(-1)?.text ?? "";
        },
        { name: "delegate", description: "Delegates.", schema: z.object({ task: z.string() }) },
      );
      const lead = createAgent({ model: bench.model(), tools: [delegate], name: "lead" });
      await lead.invoke(user("Go"), { callbacks: [bench.handler] });
      const entries = await bench.entries();
      expect(
        entries.map(({ operation, run }) => [operation, run?.["agentName"], run?.path]),
      ).toEqual([
        ["chat", "lead", ["lead", "model_request"]],
        ["chat", "researcher", ["lead", "tools", "delegate", "researcher", "model_request"]],
        ["execute_tool", "lead", ["lead", "tools"]],
        ["chat", "lead", ["lead", "model_request"]],
      ]);
      expect(entries[2]).toMatchObject({
        outputContent: "findings",
        run: { toolName: "delegate" },
      });
    },
  );

  it("that a tool fails has the tool's error", async () => {
    await using bench = await startBench(
      askFor([{ name: "weather", args: { city: "Rome" } }], "Sorry."),
    );
    const broken = tool(
      async (): Promise<string> => {
        throw new TypeError("no such city");
      },
      { name: "weather", description: "The weather.", schema: z.object({ city: z.string() }) },
    );
    const agent = createAgent({ model: bench.model(), tools: [broken] });
    await agent.invoke(user("Weather?"), { callbacks: [bench.handler] }).catch(() => undefined);
    const failed = (await bench.entries()).filter(({ operation }) => operation === "execute_tool");
    expect(only(failed)).toMatchObject({
      outcome: "error",
      error: { type: "TypeError" },
      diagnosticsContent: '{"error_message":"no such city"}',
      outputContent: "",
    });
    expect(bench.handler.stats.open).toBe(0);
  });

  it("leaves no tool entries with captureTools: false, and the paths stay whole", async () => {
    await using bench = await startBench(
      askFor([{ name: "weather", args: { city: "Rome" } }], "Sunny."),
      {
        captureTools: false,
      },
    );
    const agent = createAgent({ model: bench.model(), tools: [weather], name: "a" });
    await agent.invoke(user("Weather?"), { callbacks: [bench.handler] });
    expect((await bench.entries()).map(({ operation }) => operation)).toEqual(["chat", "chat"]);
  });

  it.skipIf(OLDEST_HOST)("is an entry of its own with captureChains", async () => {
    await using bench = await startBench(askFor([], "Hi."), { captureChains: "roots" });
    const agent = createAgent({ model: bench.model(), tools: [], name: "greeter" });
    await agent.invoke(user("Hello!"), { callbacks: [bench.handler] });
    const entries = await bench.entries();
    expect(entries.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      "chat ok",
      "invoke_agent ok",
    ]);
    expect(bench.content(entries[1]).input).toEqual({
      messages: [{ role: "user", content: "Hello!" }],
    });
    expect(bench.content(entries[1]).output).toMatchObject({
      messages: [{ role: "user" }, { role: "assistant", content: "Hi." }],
    });
  });
});

const flaky: Respond = (request, index) =>
  index === 0 ? failure(500, { message: "again" }) : chatFor(request, "Hi.");

describe("a retriever", () => {
  class Shelf extends BaseRetriever {
    lc_namespace = ["test"];
    override async _getRelevantDocuments(query: string): Promise<Document[]> {
      if (query === "nothing") throw new RangeError("shelf is empty");
      return [new Document({ pageContent: `docs on ${query}`, metadata: { page: 1 }, id: "d1" })];
    }
  }

  it("is an entry of its own with captureRetrievers, and none without", async () => {
    await using bench = await startBench(undefined, { captureRetrievers: true });
    const silent = new AuditCallbackHandler(bench.logger);
    const shelf = new Shelf();
    await shelf.invoke("birds", { callbacks: [bench.handler, silent] });
    await expect(shelf.invoke("nothing", { callbacks: [bench.handler, silent] })).rejects.toThrow(
      "shelf is empty",
    );
    const [found, failed, ...rest] = await bench.entries();
    expect(rest).toEqual([]);
    expect(found).toMatchObject({ operation: "retrieval", outcome: "ok", inputContent: "birds" });
    expect(bench.content(found).output).toEqual([
      { id: "d1", pageContent: "docs on birds", metadata: { page: 1 } },
    ]);
    expect(failed).toMatchObject({
      operation: "retrieval",
      outcome: "error",
      error: { type: "RangeError" },
    });
    expect(silent.stats).toEqual({ open: 0, written: 0, lost: 0 });
  });
});

describe("attempts", () => {
  it("of withRetry are entries of their own, numbered", async () => {
    await using bench = await startBench(flaky);
    await bench
      .model()
      .withRetry({ stopAfterAttempt: 3 })
      .invoke("Hello!", { callbacks: [bench.handler] });
    const entries = await bench.entries();
    expect(entries.map(({ outcome }) => outcome)).toEqual(["error", "ok"]);
    expect(entries[1]?.run).toMatchObject({ attempt: 2 });
    expect(entries[1]?.run?.["tags"]).toBeUndefined();
  });

  it("of withFallbacks are entries of their own", async () => {
    await using bench = await startBench(flaky);
    const model = bench.model({ model: "first" }).withFallbacks([bench.model({ model: "second" })]);
    await model.invoke("Hello!", { callbacks: [bench.handler] });
    expect((await bench.entries()).map((entry) => `${entry.model} ${entry.outcome}`)).toEqual([
      "first error",
      "second ok",
    ]);
  });

  it.skipIf(OLDEST_HOST)(
    "of an agent's retry and fallback middleware are entries of their own",
    async () => {
      await using bench = await startBench(flaky);
      const retry = middleware(modelRetryMiddleware, { maxRetries: 2, initialDelayMs: 1 });
      await createAgent({ model: bench.model(), tools: [], middleware: retry }).invoke(
        user("Hello!"),
        {
          callbacks: [bench.handler],
        },
      );
      bench.server.requests.length = 0;
      const fallback = modelFallbackMiddleware(bench.model({ model: "second" }));
      await createAgent({
        model: bench.model({ model: "first" }),
        tools: [],
        middleware: [fallback],
      }).invoke(user("Hello!"), {
        callbacks: [bench.handler],
      });
      expect((await bench.entries()).map((entry) => `${entry.model} ${entry.outcome}`)).toEqual([
        "gpt-test error",
        "gpt-test ok",
        "first error",
        "second ok",
      ]);
    },
  );
});
