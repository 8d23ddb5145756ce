// Callers choose run ids: one id may be that of several calls at a time.
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { only, startBench } from "./fixtures.ts";
import { chatChunks, chatFor, type Respond } from "./openai-server.ts";

const SHARED = "ai-audit: another call of the same run id was open";

/** Answers with what was asked, the first request after the second. */
function answerTwo(): Respond {
  const second = Promise.withResolvers<void>();
  return async (request, index) => {
    if (index === 0) await second.promise;
    else second.resolve();
    const messages = request.body["messages"] as readonly { readonly content: string }[];
    return chatFor(request, `${messages[0]?.content}!`);
  };
}

describe("two calls of one run id at a time", () => {
  it("are two entries, each with its own answer", async () => {
    await using bench = await startBench(answerTwo());
    const config = { callbacks: [bench.handler], runId: randomUUID() };
    await Promise.all(["one", "two"].map((text) => bench.model().invoke(text, config)));
    const entries = await bench.entries();
    expect(
      entries.map((entry) => `${entry.inputContent} ${entry.outputContent}`).toSorted(),
    ).toEqual(["one one!", "two two!"]);
    expect(entries.map(({ run }) => run?.id)).toEqual([config.runId, config.runId]);
    expect(entries.flatMap(({ alerts }) => alerts)).toEqual([SHARED]);
    expect(bench.handler.stats).toEqual({ open: 0, written: 2, lost: 0 });
  });

  it("keep their tokens apart when they are streamed, and one that fails is the one that failed", async () => {
    await using bench = await startBench((request) => {
      const [message] = request.body["messages"] as readonly { readonly content: string }[];
      return {
        events: chatChunks([`${message?.content} `, "a ", "b ", "c"]),
        everyMs: 3,
        after: message?.content === "two" ? "break" : "done",
      };
    });
    const config = { callbacks: [bench.handler], runId: randomUUID() };
    const read = async (text: string): Promise<string> => {
      let all = "";
      for await (const chunk of await bench.model().stream(text, config)) all += chunk.text;
      return all;
    };
    const [one, two] = await Promise.allSettled([read("one"), read("two")]);
    expect([one.status, two.status]).toEqual(["fulfilled", "rejected"]);
    const entries = await bench.entries();
    const outcomes = entries.map((entry) => [entry.inputContent, entry.outcome]);
    expect(new Map(outcomes as [string, string][])).toEqual(
      new Map([
        ["one", "ok"],
        ["two", "error"],
      ]),
    );
    for (const { inputContent, outputContent } of entries)
      expect(outputContent).toMatch(new RegExp(`^${inputContent} a `));
  });

  it("of a chain and the model in it are both known, and the model stands in the chain", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."), {
      captureChains: "all",
    });
    const runId = randomUUID();
    const model = bench.model();
    const chain = RunnableLambda.from((_: string, { callbacks }) =>
      model.invoke("in", { ...(callbacks && { callbacks }), runId }),
    ).withConfig({ runName: "outer" });
    await chain.invoke("x", { callbacks: [bench.handler], runId });
    const [inner, outer] = await bench.entries();
    expect(inner).toMatchObject({
      operation: "chat",
      outcome: "ok",
      inputContent: "in",
      outputContent: "Hi.",
      run: { id: runId, parentId: runId, rootId: runId, name: "ChatOpenAI", path: ["outer"] },
      alerts: [SHARED],
    });
    expect(outer).toMatchObject({
      operation: "invoke_chain",
      outcome: "ok",
      outputFormat: "json",
      run: { rootId: runId, name: "outer" },
      alerts: [],
    });
    expect(bench.handler.stats).toEqual({ open: 0, written: 2, lost: 0 });
  });

  it("do not end what is under the other one", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    const runId = randomUUID();
    const first = Promise.withResolvers<void>();
    const model = bench.model();
    const chain = RunnableLambda.from(async (text: string, config) => {
      if (text === "short") return text;
      bench.server.respond = async (request) => {
        await first.promise;
        return chatFor(request, "late");
      };
      return (
        await model.invoke(text, { ...(config.callbacks && { callbacks: config.callbacks }) })
      ).text;
    });
    const config = { callbacks: [bench.handler], runId };
    const waiting = RunnableLambda.from(() => first.promise.then(() => "waited")).invoke(
      "first",
      config,
    );
    const long = chain.invoke("long", config);
    await expect.poll(() => bench.server.requests.length, { timeout: 15_000 }).toBe(1);
    await chain.invoke("short", config);
    first.resolve();
    expect([await waiting, await long]).toEqual(["waited", "late"]);
    expect(only(await bench.entries())).toMatchObject({
      inputContent: "long",
      outcome: "ok",
      outputContent: "late",
    });
  });

  it("of tools are two entries", async () => {
    await using bench = await startBench();
    const wait = tool(({ text }) => Promise.resolve(`${text}!`), {
      name: "wait",
      schema: z.object({ text: z.string() }),
    });
    const config = { callbacks: [bench.handler], runId: randomUUID() };
    await Promise.all([wait.invoke({ text: "one" }, config), wait.invoke({ text: "two" }, config)]);
    const entries = await bench.entries();
    expect(entries).toHaveLength(2);
    expect(new Set(entries.map((entry) => entry.outputContent))).toEqual(new Set(["one!", "two!"]));
  });
});

it("Calls of one run id one after the other are entries without an alert", async () => {
  await using bench = await startBench((request) => chatFor(request, "Hi."));
  const config = { callbacks: [bench.handler], runId: randomUUID() };
  await bench.model().invoke("one", config);
  await bench.model().invoke("two", config);
  expect((await bench.entries()).map(({ inputContent, alerts }) => [inputContent, alerts])).toEqual(
    [
      ["one", []],
      ["two", []],
    ],
  );
});
