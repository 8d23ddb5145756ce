// Decisions of humans, wherever in a program the graph is that they resume.
import { randomUUID } from "node:crypto";
import { RunnableLambda, RunnablePassthrough } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import {
  Annotation,
  Command,
  interrupt,
  MemorySaver,
  START,
  StateGraph,
} from "@langchain/langgraph";
import type { AuditEntry } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { startBench } from "./fixtures.ts";

const State = Annotation.Root({ topic: Annotation<string>, publish: Annotation<string> });

/** As the graph takes it. */
type Decision = Exclude<Parameters<ReturnType<typeof makeAsking>["invoke"]>[0], null>;

/** A graph that asks, whatever it is about. */
function makeAsking() {
  return new StateGraph(State)
    .addNode("review", () => ({ publish: interrupt<string, string>("publish?") }))
    .addEdge(START, "review")
    .compile({ checkpointer: new MemorySaver() });
}

const told = ({ operation, outcome, conversationId, metadata, run }: AuditEntry) => [
  `${operation} ${outcome}`,
  metadata["review"],
  conversationId,
  run?.["threadId"],
];

const ASKED_AND_DECIDED = [
  ["human_review interrupted", "requested", "t1", "t1"],
  ["human_review ok", "decided", "t1", "t1"],
];

describe("A question to a human and the decision", () => {
  it("have the metadata that metadataKeys names, the name of their run, and the run of the invocation", async () => {
    await using bench = await startBench(undefined, { metadataKeys: ["team"] });
    const graph = makeAsking();
    const config = {
      callbacks: [bench.handler],
      configurable: { thread_id: "t1" },
      metadata: { team: "press" },
    };
    const [asked, decided] = [randomUUID(), randomUUID()];
    await graph.invoke({ topic: "news" }, { ...config, runId: asked });
    await graph.invoke(new Command({ resume: "yes" }), { ...config, runId: decided });
    const entries = await bench.entries();
    expect(entries.map(({ metadata, run }) => [metadata["team"], run?.name, run?.rootId])).toEqual([
      ["press", "review", asked],
      ["press", "LangGraph", decided],
    ]);
  });
});

describe("A decision", () => {
  it("is recorded once, with its thread, when chains around the graph are given the command", async () => {
    await using bench = await startBench();
    const graph = makeAsking();
    const chain = new RunnablePassthrough<Decision>().pipe(
      RunnableLambda.from((input: Decision, config) => graph.invoke(input, config)),
    );
    const config = { callbacks: [bench.handler], configurable: { thread_id: "t1" } };
    await graph.invoke({ topic: "news" }, config);
    await chain.invoke(new Command({ resume: "yes" }), config);
    expect((await bench.entries()).map(told)).toEqual(ASKED_AND_DECIDED);
  });

  it("is recorded when a tool resumes the graph with a command of its own", async () => {
    await using bench = await startBench(undefined, { captureTools: false });
    const graph = makeAsking();
    const configurable = { thread_id: "t1" };
    const decide = tool(
      async ({ publish }, config) => {
        await graph.invoke(new Command({ resume: publish }), { ...config, configurable });
        return "decided";
      },
      { name: "decide", description: "Decides.", schema: z.object({ publish: z.string() }) },
    );
    await graph.invoke({ topic: "news" }, { callbacks: [bench.handler], configurable });
    await decide.invoke({ publish: "no" }, { callbacks: [bench.handler] });
    const entries = await bench.entries();
    expect(entries.map(told)).toEqual(ASKED_AND_DECIDED);
    expect(entries[1]).toMatchObject({
      outputContent: "no",
      run: { path: ["decide", "LangGraph"] },
    });
  });

  it("is recorded each time that one command is used", async () => {
    await using bench = await startBench();
    const graph = makeAsking();
    const yes: Decision = new Command({ resume: "yes" });
    for (const thread_id of ["t1", "t2"]) {
      const config = { callbacks: [bench.handler], configurable: { thread_id } };
      await graph.invoke({ topic: "news" }, config);
      await graph.invoke(yes, config);
    }
    const decided = (await bench.entries()).filter(({ outcome }) => outcome === "ok");
    expect(decided.map(({ conversationId }) => conversationId)).toEqual(["t1", "t2"]);
  });

  it("whose thread nobody knows is recorded all the same", async () => {
    await using bench = await startBench();
    const chain = RunnableLambda.from(({ resume }: Command) => resume);
    await chain.invoke(new Command({ resume: "yes" }), { callbacks: [bench.handler] });
    expect((await bench.entries()).map(told)).toEqual([
      ["human_review ok", "decided", null, undefined],
    ]);
  });
});
