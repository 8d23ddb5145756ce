// Several handlers of one logger that hear of the same run.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import { CallbackManager } from "@langchain/core/callbacks/manager";
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { Annotation, Command, interrupt, MemorySaver, StateGraph } from "@langchain/langgraph";
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AuditCallbackHandler } from "../src/index.ts";
import { collectGarbage } from "@ai-audit/test-support/collect-garbage";
import { FullDisk, startBench } from "./fixtures.ts";
import { chatChunks, chatFor } from "./openai-server.ts";

describe("two handlers of one logger", () => {
  it("leave one entry for every run that both hear of", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const other = new AuditCallbackHandler(bench.logger);
    const model = bench.model({ callbacks: [bench.handler] });
    await model.invoke("a", { callbacks: [other] });
    for await (const _ of await model.stream("b", { callbacks: [other] }));
    await model.batch(["c", "d"], { callbacks: [other] });
    await model.generate([[["human", "e"]], [["human", "f"]]] as never, { callbacks: [other] });
    const look = tool(() => "blue", { name: "look", schema: z.object({}) });
    await look.invoke({}, { callbacks: [bench.handler, other] });
    const entries = await bench.entries();
    expect(new Set(entries.map((entry) => entry.inputContent))).toEqual(
      new Set(["a", "b", "c", "d", "e", "f", "{}"]),
    );
    expect(await bench.logger.count()).toBe(7);
    const stats = [bench.handler.stats, other.stats];
    expect(stats.map(({ open, lost }) => [open, lost])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(stats[0]!.written + stats[1]!.written).toBe(7);
  });

  it("leave one entry that knows the chain, whichever of them sees all of it", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const model = bench.model({ callbacks: [bench.handler] });
    const chain = RunnableLambda.from((text: string, config) =>
      model.invoke(text, config),
    ).withConfig({
      runName: "outer",
    });
    await chain.invoke("a", { callbacks: [new AuditCallbackHandler(bench.logger)] });
    expect((await bench.entries()).map(({ run }) => run?.path)).toEqual([["outer"]]);
  });

  it("leave what only one of them is to record to that one", async () => {
    await using bench = await startBench(undefined, { captureTools: false });
    const other = new AuditCallbackHandler(bench.logger, { captureChains: "roots" });
    const look = tool(() => "blue", { name: "look", schema: z.object({}) });
    await RunnableLambda.from((_: string, config) => look.invoke({}, config)).invoke("x", {
      callbacks: [bench.handler, other],
    });
    expect((await bench.entries()).map(({ operation }) => operation)).toEqual([
      "execute_tool",
      "invoke_chain",
    ]);
  });

  it("leave one entry for a question to a human and one for the decision", async () => {
    await using bench = await startBench();
    const State = Annotation.Root({ yes: Annotation<boolean> });
    const graph = new StateGraph(State)
      .addNode("review", () => ({ yes: interrupt<string, boolean>("publish?") }))
      .addEdge("__start__", "review")
      .compile({ checkpointer: new MemorySaver() });
    const callbacks = [bench.handler, new AuditCallbackHandler(bench.logger)];
    const config = { callbacks, configurable: { thread_id: "t-1" } };
    await graph.invoke({ yes: false }, config);
    await graph.invoke(new Command({ resume: true }), config);
    expect((await bench.entries()).map(({ metadata }) => metadata["review"])).toEqual([
      "requested",
      "decided",
    ]);
  });

  it("fail a call whose entry the first of them cannot write", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const logger = new AuditLogger(new FullDisk());
    const handlers = [new AuditCallbackHandler(logger), new AuditCallbackHandler(logger)];
    await expect(bench.model().invoke("a", { callbacks: handlers })).rejects.toMatchObject({
      code: "AUDIT_WRITE_FAILED",
      message: "the storage could not keep the entry",
    });
    expect(handlers.map(({ stats }) => stats.lost)).toEqual([1, 0]);
  });

  it("leave one entry for a stream that its reader leaves", async () => {
    await using bench = await startBench(() => ({
      events: chatChunks(["One ", "two ", "three"]),
      everyMs: 5,
    }));
    const other = new AuditCallbackHandler(bench.logger);
    for await (const _ of await bench
      .model()
      .stream("Count", { callbacks: [bench.handler, other] }))
      break;
    const open = async (): Promise<number> => (
      await collectGarbage(),
      bench.handler.stats.open + other.stats.open
    );
    await expect.poll(open, { timeout: 15_000 }).toBe(0);
    await bench.logger.close();
    expect((await bench.entries()).map(({ outcome }) => outcome)).toEqual(["abandoned"]);
  });

  it("record every call of a manager that is used again under the same id", async () => {
    await using bench = await startBench();
    const manager = CallbackManager.configure([
      bench.handler,
      new AuditCallbackHandler(bench.logger),
    ]);
    const runId = randomUUID();
    for (const text of ["one", "two"]) {
      const [run] =
        (await manager?.handleLLMStart(
          { lc: 1, type: "not_implemented", id: ["Fake"] },
          [text],
          runId,
        )) ?? [];
      await run?.handleLLMEnd({ generations: [[{ text: `${text}!` }]] });
    }
    expect((await bench.entries()).map((entry) => entry.outputContent)).toEqual(["one!", "two!"]);
  });
});

it("Handlers of two loggers know nothing of each other", async () => {
  await using bench = await startBench((request) => chatFor(request, "Hi."));
  const logger = new AuditLogger(new MemoryStorage());
  const callbacks = [bench.handler, new AuditCallbackHandler(logger)];
  await bench.model().invoke("a", { callbacks });
  expect([await bench.logger.count(), await logger.count()]).toEqual([1, 1]);
});
