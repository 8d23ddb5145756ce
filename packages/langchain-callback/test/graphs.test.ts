// Graphs: threads, nodes, and questions to a human.
import { tool } from "@langchain/core/tools";
import {
  Annotation,
  Command,
  END,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { createAgent, humanInTheLoopMiddleware } from "langchain";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Bench, middleware, OLDEST_HOST, only, startBench } from "./fixtures.ts";
import { chat, lastText } from "./openai-server.ts";
import { askFor, weather, user } from "./asked-agent.ts";

describe("a LangGraph", () => {
  const State = Annotation.Root({
    topic: Annotation<string>,
    text: Annotation<string>,
    approved: Annotation<boolean>,
  });

  function graphOn(bench: Bench): ReturnType<typeof build> {
    return build(bench);
  }

  function build(bench: Bench) {
    return new StateGraph(State)
      .addNode("write", async ({ topic }) => ({ text: (await bench.model().invoke(topic)).text }))
      .addNode("review", async () => ({ approved: interrupt<string, boolean>("publish?") }))
      .addEdge(START, "write")
      .addEdge("write", "review")
      .addEdge("review", END)
      .compile({ checkpointer: new MemorySaver(), name: "desk" });
  }

  it("has thread, node and path on the entry of a model called without its config", async () => {
    await using bench = await startBench((request) => chat(`on ${lastText(request)}`));
    const graph = graphOn(bench);
    await Promise.all(
      ["a", "b", "c"].map((topic) =>
        graph.invoke(
          { topic },
          { callbacks: [bench.handler], configurable: { thread_id: `thread ${topic}` } },
        ),
      ),
    );
    const entries = (await bench.entries()).filter(({ operation }) => operation === "chat");
    expect(entries).toHaveLength(3);
    for (const entry of entries) {
      expect(entry).toMatchObject({
        conversationId: `thread ${entry.inputContent}`,
        run: { threadId: `thread ${entry.inputContent}`, node: "write", path: ["desk", "write"] },
      });
    }
  });

  it("records that a human was asked, and what the human decided; neither is an error", async () => {
    await using bench = await startBench();
    const graph = graphOn(bench);
    const config = { callbacks: [bench.handler], configurable: { thread_id: "t1" } };
    await graph.invoke({ topic: "news" }, config);
    await graph.invoke(new Command({ resume: true }), config);
    const entries = await bench.entries();
    expect(entries.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      "chat ok",
      "human_review interrupted",
      "human_review ok",
    ]);
    const [, asked, decided] = entries;
    expect(asked).toMatchObject({
      metadata: { review: "requested" },
      inputContent: "publish?",
      conversationId: "t1",
      run: { node: "review" },
    });
    expect(decided).toMatchObject({
      metadata: { review: "decided" },
      outputContent: "true",
      conversationId: "t1",
    });
    expect(bench.handler.stats.open).toBe(0);
  });

  it.skipIf(OLDEST_HOST)("around an agent that interrupts records each question once", async () => {
    await using bench = await startBench(askFor([{ name: "send", args: { to: "ann" } }], "Sent."));
    const send = tool(async () => (interrupt<string, boolean>("send?") ? "sent" : "not sent"), {
      name: "send",
      description: "Sends.",
      schema: z.object({ to: z.string() }),
    });
    const agent = createAgent({ model: bench.model(), tools: [send], name: "clerk" });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("office", async (state, config) => ({
        messages: (await agent.invoke(state, config)).messages,
      }))
      .addEdge(START, "office")
      .compile({ checkpointer: new MemorySaver(), name: "firm" });
    const config = { callbacks: [bench.handler], configurable: { thread_id: "t1" } };
    await graph.invoke(user("Send it"), config);
    const reviews = (await bench.entries()).filter(({ operation }) => operation === "human_review");
    expect(only(reviews)).toMatchObject({
      outcome: "interrupted",
      inputContent: "send?",
      run: { path: ["firm", "office", "clerk", "tools", "send"], agentName: "clerk" },
    });
  });

  it("that interrupts inside a tool leaves an interrupted tool call, and a complete one after the decision", async () => {
    await using bench = await startBench(askFor([{ name: "send", args: { to: "ann" } }], "Sent."));
    const send = tool(async () => (interrupt<string, boolean>("send?") ? "sent" : "not sent"), {
      name: "send",
      description: "Sends.",
      schema: z.object({ to: z.string() }),
    });
    const agent = createAgent({
      model: bench.model(),
      tools: [send],
      checkpointer: new MemorySaver(),
    });
    const config = { callbacks: [bench.handler], configurable: { thread_id: "t1" } };
    await agent.invoke(user("Send it"), config);
    await agent.invoke(new Command({ resume: true }), config);
    const entries = await bench.entries();
    expect(entries.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      "chat ok",
      "human_review interrupted",
      "execute_tool interrupted",
      "human_review ok",
      "execute_tool ok",
      "chat ok",
    ]);
    expect(entries[2]?.error).toBeUndefined();
    expect(entries[4]?.run?.["requestedBy"]).toBe(entries[0]?.id);
  });

  it.skipIf(OLDEST_HOST).each([
    [{ type: "approve" as const }, ["execute_tool ok", "chat ok"]],
    [{ type: "reject" as const, message: "no" }, ["chat ok"]],
  ])(
    "with human-in-the-loop middleware records request and decision: %o",
    async (decision, after) => {
      await using bench = await startBench(
        askFor([{ name: "weather", args: { city: "Rome" } }], "Done."),
      );
      const review = middleware(humanInTheLoopMiddleware, { interruptOn: { weather: true } });
      const agent = createAgent({
        model: bench.model(),
        tools: [weather],
        middleware: review,
        checkpointer: new MemorySaver(),
      });
      const config = { callbacks: [bench.handler], configurable: { thread_id: "t1" } };
      await agent.invoke(user("Weather?"), config);
      await agent.invoke(new Command({ resume: { decisions: [decision] } }), config);
      const entries = await bench.entries();
      expect(entries.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
        "chat ok",
        "human_review interrupted",
        "human_review ok",
        ...after,
      ]);
      expect(entries[1]?.metadata).toMatchObject({ review: "requested", actions: ["weather"] });
      expect(entries[2]?.metadata).toMatchObject({ review: "decided", decisions: [decision.type] });
    },
  );
});
