// Events that stop or steer a run, decisions of people, and the runs around calls.
import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import { Document } from "@langchain/core/documents";
import { BaseRetriever } from "@langchain/core/retrievers";
import { RunnableLambda, RunnableSequence } from "@langchain/core/runnables";
import {
  Annotation,
  Command,
  interrupt,
  MemorySaver,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import {
  createAgent,
  createMiddleware,
  humanInTheLoopMiddleware,
  modelCallLimitMiddleware,
  tool,
  toolCallLimitMiddleware,
} from "langchain";
import type { AuditEntry } from "@ai-audit/core";
import { withAuditContext } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AuditCallbackHandler } from "../src/index.ts";
import { askFor } from "./asked-agent.ts";
import { middleware, only, OLDEST_HOST, startBench } from "./fixtures.ts";

const user = (content: string): { messages: { role: string; content: string }[] } => ({
  messages: [{ role: "user", content }],
});
const State = Annotation.Root({ topic: Annotation<string>, text: Annotation<string> });
const weather = tool(({ city }) => `sunny in ${city}`, {
  name: "weather",
  description: "The weather.",
  schema: z.object({ city: z.string() }),
});
const asksTwice = askFor(
  [
    { name: "weather", args: { city: "Rome" } },
    { name: "weather", args: { city: "Oslo" } },
  ],
  "Sunny.",
);
const eventsIn = (entries: readonly AuditEntry[]): AuditEntry[] =>
  entries.filter(({ operation }) => operation === "event");

describe.skipIf(OLDEST_HOST)("an event that stops or steers a run is an entry:", () => {
  it("a limit of model calls", async () => {
    await using bench = await startBench(asksTwice);
    const agent = createAgent({
      model: bench.model(),
      tools: [weather],
      middleware: middleware(modelCallLimitMiddleware, { runLimit: 1, exitBehavior: "end" }),
    });
    await agent.invoke(user("Weather?"), { callbacks: [bench.handler] });
    expect(only(eventsIn(await bench.entries()))).toMatchObject({
      outcome: "blocked",
      blockReason: "model_call_limit",
      metadata: { event: "model_call_limit", ends_run: true },
    });
  });

  it("a limit of tool calls", async () => {
    await using bench = await startBench(asksTwice);
    const agent = createAgent({
      model: bench.model(),
      tools: [weather],
      middleware: middleware(toolCallLimitMiddleware, { runLimit: 1, exitBehavior: "continue" }),
    });
    await agent.invoke(user("Weather?"), { callbacks: [bench.handler] });
    expect(only(eventsIn(await bench.entries()))).toMatchObject({
      outcome: "blocked",
      metadata: { event: "tool_call_limit", middleware: "ToolCallLimitMiddleware" },
    });
  });

  it("a middleware of one's own that ends the run", async () => {
    await using bench = await startBench();
    const agent = createAgent({
      model: bench.model(),
      tools: [],
      middleware: middleware(createMiddleware, {
        name: "CompanyPolicy",
        beforeModel: {
          canJumpTo: ["end"],
          hook: () => ({
            jumpTo: "end",
            messages: [{ role: "assistant", content: "not allowed" }],
          }),
        },
      }),
    });
    await agent.invoke(user("Hi"), { callbacks: [bench.handler] });
    const event = only(await bench.entries());
    expect(event).toMatchObject({
      operation: "event",
      metadata: { event: "ended_by_middleware", middleware: "CompanyPolicy" },
    });
    expect(event.outputContent).toContain("not allowed");
  });

  it("too many steps", async () => {
    await using bench = await startBench();
    const graph = new StateGraph(State)
      .addNode("again", () => ({ text: "x" }))
      .addEdge(START, "again")
      .addEdge("again", "again")
      .compile();
    const config = { callbacks: [bench.handler], recursionLimit: 3 };
    await expect(graph.invoke({ topic: "x" }, config)).rejects.toThrow("Recursion limit");
    expect(only(await bench.entries())).toMatchObject({
      operation: "event",
      outcome: "error",
      error: { type: "GraphRecursionError" },
      metadata: { event: "recursion_limit" },
    });
  });

  it("a node that throws, once, and no failure of a model or tool again", async () => {
    await using bench = await startBench(() => ({
      json: { error: { message: "no" } },
      status: 500,
    }));
    const graph = new StateGraph(State)
      .addNode("ask", async ({ topic }) => ({ text: (await bench.model().invoke(topic)).text }))
      .addEdge(START, "ask")
      .compile();
    await expect(graph.invoke({ topic: "x" }, { callbacks: [bench.handler] })).rejects.toThrow(
      "500",
    );
    expect((await bench.entries()).map(({ operation, outcome }) => [operation, outcome])).toEqual([
      ["chat", "error"],
    ]);
    const broken = new StateGraph(State)
      .addNode("broken", () => {
        throw new TypeError("node fails");
      })
      .addEdge(START, "broken")
      .compile();
    await expect(broken.invoke({ topic: "x" }, { callbacks: [bench.handler] })).rejects.toThrow(
      "node fails",
    );
    expect(only(eventsIn(await bench.entries()))).toMatchObject({
      outcome: "error",
      error: { type: "TypeError" },
      metadata: { event: "run_failed" },
      run: { path: ["LangGraph", "broken"] },
    });
  });

  it("a custom event, each of several, by two handlers of one logger once", async () => {
    await using bench = await startBench();
    const chain = RunnableLambda.from(async (_: string, config) => {
      await dispatchCustomEvent("guardrail_triggered", { rule: "r1" }, config);
      await dispatchCustomEvent("guardrail_triggered", { rule: "r2" }, config);
      return "done";
    });
    const twin = new AuditCallbackHandler(bench.logger);
    await chain.invoke("x", { callbacks: [bench.handler, twin] });
    const events = eventsIn(await bench.entries());
    expect(events.map((entry) => bench.content(entry).input)).toEqual([
      { rule: "r1" },
      { rule: "r2" },
    ]);
    expect(events[0]?.metadata).toEqual({ event: "guardrail_triggered" });
  });

  it("values that a person writes at a static breakpoint, and the run that goes on", async () => {
    await using bench = await startBench();
    const graph = new StateGraph(State)
      .addNode("write", () => ({ text: "draft" }))
      .addNode("send", ({ text }) => ({ text: `sent ${text}` }))
      .addEdge(START, "write")
      .addEdge("write", "send")
      .compile({ checkpointer: new MemorySaver(), interruptBefore: ["send"] });
    const config = {
      callbacks: [bench.handler],
      configurable: { thread_id: "t1" },
      metadata: { user_id: "bob" },
    };
    await graph.invoke({ topic: "x" }, config);
    await graph.updateState(config, { text: "final" });
    const { text } = await graph.invoke(null, config);
    expect(text).toBe("sent final");
    const events = eventsIn(await bench.entries());
    expect(events.map(({ metadata, actor }) => [metadata["event"], actor?.id])).toEqual([
      ["state_updated", "bob"],
      ["resumed", "bob"],
    ]);
    expect(bench.content(events[0]).input).toMatchObject({ text: "final" });
  });

  it("and none with captureEvents: false", async () => {
    await using bench = await startBench(undefined, { captureEvents: false });
    const chain = RunnableLambda.from(async (_: string, config) => {
      await dispatchCustomEvent("x", {}, config);
      throw new Error("fails");
    });
    await expect(chain.invoke("x", { callbacks: [bench.handler] })).rejects.toThrow("fails");
    expect(await bench.entries()).toEqual([]);
  });
});

const ask = (question: string) => () => ({ text: interrupt<string, string>(question) });

describe("decisions of people", () => {
  const send = tool(({ to }) => `sent to ${to}`, {
    name: "send",
    description: "Sends.",
    schema: z.object({ to: z.string() }),
  });

  it.skipIf(OLDEST_HOST)(
    "in one command are entries of their own, also by another handler and with hashes only",
    async () => {
      const respond = askFor([{ name: "send", args: { to: "ann" } }], "Sent.");
      await using bench = await startBench(respond, {}, { storeContent: false });
      const agent = createAgent({
        model: bench.model(),
        tools: [send],
        checkpointer: new MemorySaver(),
        middleware: middleware(humanInTheLoopMiddleware, { interruptOn: { send: true } }),
      });
      const config = { configurable: { thread_id: "t1" } };
      await agent.invoke(user("Send"), { ...config, callbacks: [bench.handler] });
      const other = new AuditCallbackHandler(bench.logger);
      const decisions = [{ type: "edit", editedAction: { name: "send", args: { to: "bo" } } }];
      await withAuditContext({ actor: { id: "bob", kind: "user", role: "clerk" } }, () =>
        agent.invoke(new Command({ resume: { decisions } }), { ...config, callbacks: [other] }),
      );
      const entries = await bench.entries();
      const asked = only(entries.filter(({ outcome }) => outcome === "interrupted"));
      const decided = only(entries.filter(({ review }) => review !== undefined));
      const [interruptId] = asked.metadata["interrupt_ids"] as string[];
      expect(decided).toMatchObject({
        actor: { id: "bob", role: "clerk" },
        review: { of: interruptId, verdict: "modified", inputHash: asked.inputHash },
        metadata: { decisions: ["edit"], action: "send" },
      });
      expect(decided.inputContent).toBeNull();
      expect(decided.alerts).toEqual([]);
      expect(await bench.logger.reviews()).toMatchObject([{ decided: true }]);
    },
  );

  it("by interrupt id are joined one by one", async () => {
    await using bench = await startBench();
    const graph = new StateGraph(
      Annotation.Root({
        text: Annotation<string>({ reducer: (a, b) => `${a}${b}`, default: () => "" }),
      }),
    )
      .addNode("pay", ask("pay?"))
      .addNode("mail", ask("mail?"))
      .addEdge(START, "pay")
      .addEdge(START, "mail")
      .compile({ checkpointer: new MemorySaver() });
    const config = { callbacks: [bench.handler], configurable: { thread_id: "t1" } };
    await graph.invoke({ text: "" }, config);
    const asked = (await bench.entries()).filter(({ outcome }) => outcome === "interrupted");
    const ids = asked.flatMap(({ metadata }) => metadata["interrupt_ids"] as string[]);
    const resume = Object.fromEntries(ids.map((id, at) => [id, at === 0 ? "yes" : "no"]));
    await graph.invoke(new Command({ resume }), config);
    const decided = (await bench.entries()).filter(({ review }) => review !== undefined);
    expect(decided.map(({ review }) => [review?.of, review?.verdict])).toEqual([
      [ids[0], "approved"],
      [ids[1], "rejected"],
    ]);
  });

  it.each([
    [true, "approved"],
    [false, "rejected"],
    ["Approved", "approved"],
    ["no", "rejected"],
    ["tomorrow", "answered"],
    [{ type: "edit", args: { to: "bo" } }, "modified"],
    [[{ type: "accept" }], "approved"],
    [{ approved: false }, "rejected"],
  ])("to a plain interrupt: %o is %s", async (resume, verdict) => {
    await using bench = await startBench();
    const graph = new StateGraph(State)
      .addNode("review", () => ({ text: String(interrupt<string, unknown>("publish?")) }))
      .addEdge(START, "review")
      .compile({ checkpointer: new MemorySaver() });
    const config = { callbacks: [bench.handler], configurable: { thread_id: "t1" } };
    await graph.invoke({ topic: "x" }, config);
    await graph.invoke(new Command({ resume }), config);
    const decided = only((await bench.entries()).filter(({ review }) => review !== undefined));
    expect(decided.review?.verdict).toBe(verdict);
    expect(bench.content(decided)).toEqual({ input: { before: "publish?" }, output: resume });
  });
});

describe("runs", () => {
  class Shelf extends BaseRetriever {
    lc_namespace = ["test"];
    override async _getRelevantDocuments(query: string): Promise<Document[]> {
      const metadata = { source: `https://u:p@docs.example/${query}?sig=secret`, score: 0.5 };
      return [new Document({ id: `doc-${query}`, pageContent: "text", metadata })];
    }
  }

  it("of retrieval and model call of one invocation are joined, also of two at once", async () => {
    await using bench = await startBench();
    const chain = RunnableSequence.from([
      new Shelf(),
      (documents: Document[]) => documents.map(({ pageContent }) => pageContent).join(),
      bench.model(),
    ]);
    await Promise.all(
      ["a", "b"].map((query) => chain.invoke(query, { callbacks: [bench.handler] })),
    );
    const entries = await bench.entries();
    const retrievals = entries.filter(({ operation }) => operation === "retrieval");
    const chats = entries.filter(({ operation }) => operation === "chat");
    expect(retrievals.map(({ metadata }) => metadata["documents"])).toEqual(
      expect.arrayContaining([
        [{ id: "doc-a", source: "https://docs.example/a?sig=[REDACTED]", score: 0.5 }],
        [{ id: "doc-b", source: "https://docs.example/b?sig=[REDACTED]", score: 0.5 }],
      ]),
    );
    for (const { run } of chats) {
      const [retrieval] = retrievals.filter((entry) => entry.run?.rootId === run?.rootId);
      expect(run?.["retrievals"]).toEqual([retrieval?.run?.id]);
    }
  });

  it("have the names of agents made by createReactAgent, also in a graph", async () => {
    await using bench = await startBench(asksTwice);
    const agent = createReactAgent({ llm: bench.model(), tools: [weather], name: "alice" });
    const graph = new StateGraph(State)
      .addNode("office", async (_, config) => {
        const { messages } = await agent.invoke(user("Weather?"), config);
        return { text: messages.at(-1)?.text };
      })
      .addEdge(START, "office")
      .compile();
    await graph.invoke({ topic: "x" }, { callbacks: [bench.handler] });
    const entries = await bench.entries();
    expect(entries.map(({ run }) => run?.["agentName"])).toEqual(entries.map(() => "alice"));
  });

  it("in an audit context are runs within its run", async () => {
    await using bench = await startBench();
    await withAuditContext({ run: { name: "job", id: "job-1" } }, () =>
      RunnableLambda.from(() => bench.model().invoke("Hi")).invoke("x", {
        callbacks: [bench.handler],
      }),
    );
    expect(only(await bench.entries()).run).toMatchObject({
      rootId: "job-1",
      path: ["job", "RunnableLambda"],
    });
  });
});
