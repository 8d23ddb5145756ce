import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableLambda, RunnableParallel } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { collectGarbage } from "@ai-audit/test-support/collect-garbage";
import { type Bench, OLDEST_HOST, only, startBench } from "./fixtures.ts";
import { chat, chatChunks, chatFor } from "./openai-server.ts";

/** A busy machine takes its time. */
const WAIT = { timeout: 15_000 };

/** How hosts and SDKs say that a call was stopped. */
const STOPPED = /abort|timed out|timeout|terminated|cancel|premature|socket|other side/i;
const PIECES = ["One ", "two ", "three ", "four"];

/**
 * All entries, once nothing is open any more and closing the log has waited for what is on its way
 * to the disk.
 */
async function settled(bench: Bench): Promise<Awaited<ReturnType<Bench["entries"]>>> {
  await expect.poll(async () => (await collectGarbage(), bench.handler.stats.open), WAIT).toBe(0);
  await bench.logger.close();
  return bench.entries();
}

describe("a call that its caller aborts", () => {
  it("before the answer is aborted", async () => {
    await using bench = await startBench(() => ({ hang: true }));
    const abort = new AbortController();
    const pending = bench
      .model()
      .invoke("Hello!", { callbacks: [bench.handler], signal: abort.signal });
    await expect.poll(() => bench.server.requests.length, WAIT).toBe(1);
    abort.abort();
    await expect(pending).rejects.toThrow("abort");
    expect(only(await settled(bench))).toMatchObject({
      outcome: "aborted",
      outputContent: "",
      inputTokens: null,
    });
  });

  it("before anything is sent is aborted", async () => {
    await using bench = await startBench();
    const signal = AbortSignal.abort();
    await expect(
      bench.model().invoke("Hello!", { callbacks: [bench.handler], signal }),
    ).rejects.toThrow(STOPPED);
    expect(bench.server.requests).toEqual([]);
    for (const entry of await settled(bench)) expect(entry.outcome).toBe("aborted");
  });

  it("in the middle of a stream keeps what came", async () => {
    await using bench = await startBench(() => ({
      events: chatChunks(PIECES, { cut: true }),
      after: "hang",
    }));
    const abort = new AbortController();
    const stream = await bench
      .model()
      .stream("Count", { callbacks: [bench.handler], signal: abort.signal });
    const reading = (async () => {
      for await (const chunk of stream)
        if (chunk.text === "four") setTimeout(() => abort.abort(), 20);
    })();
    await expect(reading).rejects.toThrow(STOPPED);
    const entry = only(await settled(bench));
    expect(entry).toMatchObject({
      outcome: "aborted",
      streamed: true,
      outputContent: "One two three four",
      inputTokens: null,
    });
    expect(entry.timeToFirstTokenMs).toBeGreaterThan(0);
    expect(entry.responseId).toMatch(/^chatcmpl-/);
  });

  it("while invoke streams underneath keeps what came", async () => {
    await using bench = await startBench(() => ({
      events: chatChunks(PIECES, { cut: true }),
      after: "hang",
    }));
    const abort = new AbortController();
    const model = bench.model({ streaming: true });
    const last = {
      handleLLMNewToken: (token: string) =>
        void (token === "four" && setTimeout(() => abort.abort(), 20)),
    };
    const call = model.invoke("Count", { callbacks: [bench.handler, last], signal: abort.signal });
    await expect(call).rejects.toThrow(STOPPED);
    expect(only(await settled(bench))).toMatchObject({
      outcome: "aborted",
      outputContent: "One two three four",
    });
  });

  it("inside a chain is aborted, whether its end comes before the chain's, after it or never", async () => {
    await using bench = await startBench(() => ({ hang: true }));
    const abort = new AbortController();
    const chain = ChatPromptTemplate.fromTemplate("{q}")
      .pipe(bench.model())
      .pipe(RunnableLambda.from(() => "x"));
    const pending = chain.invoke(
      { q: "Hello!" },
      { callbacks: [bench.handler], signal: abort.signal },
    );
    await expect.poll(() => bench.server.requests.length, WAIT).toBe(1);
    abort.abort();
    await expect(pending).rejects.toThrow(STOPPED);
    expect(only(await settled(bench))).toMatchObject({
      outcome: "aborted",
      run: { path: ["RunnableSequence"] },
    });
  });

  it("by a tool's signal is an aborted tool call", async () => {
    await using bench = await startBench();
    const abort = new AbortController();
    const wait = tool(() => new Promise(() => undefined), { name: "wait", schema: z.object({}) });
    const pending = wait.invoke({}, { callbacks: [bench.handler], signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    await expect(pending).rejects.toThrow(STOPPED);
    expect(only(await settled(bench))).toMatchObject({
      operation: "execute_tool",
      outcome: "aborted",
    });
  });
});

describe("a call that takes too long", () => {
  it("by the model's own limit is a timeout", async () => {
    await using bench = await startBench(() => ({ hang: true }));
    await expect(
      bench.model({ timeout: 30 }).invoke("Hello!", { callbacks: [bench.handler] }),
    ).rejects.toThrow(STOPPED);
    expect(only(await settled(bench))).toMatchObject({
      outcome: "timeout",
      error: { type: "TimeoutError" },
    });
  });

  it("by the call's limit is a timeout", async () => {
    await using bench = await startBench(() => ({ hang: true }));
    await expect(
      bench.model().invoke("Hello!", { callbacks: [bench.handler], timeout: 30 }),
    ).rejects.toThrow(STOPPED);
    expect(only(await settled(bench))).toMatchObject({ outcome: "timeout" });
  });
});

describe("a stream that its reader leaves", () => {
  it("after the first tokens is abandoned, with what came", async () => {
    await using bench = await startBench(() => ({ events: chatChunks(PIECES), everyMs: 5 }));
    for await (const chunk of await bench.model().stream("Count", { callbacks: [bench.handler] })) {
      if (chunk.text === "three ") break;
    }
    const entry = only(await settled(bench));
    expect(entry).toMatchObject({
      outcome: "abandoned",
      streamed: true,
      inputTokens: null,
      outputTokens: null,
    });
    expect(entry.outputContent).toMatch(/^One two /);
  });

  it("unread is abandoned", async () => {
    await using bench = await startBench((request) => chatFor(request, "Hi."));
    await (async () =>
      void (await bench.model().stream("Count", { callbacks: [bench.handler] })))();
    const entries = await settled(bench);
    for (const entry of entries) expect(entry).toMatchObject({ outcome: "abandoned" });
    expect(bench.handler.stats).toEqual({ open: 0, written: entries.length, lost: 0 });
  });

  it("inside a chain leaves nothing open", async () => {
    await using bench = await startBench(() => ({ events: chatChunks(PIECES), everyMs: 5 }));
    const chain = ChatPromptTemplate.fromTemplate("{q}").pipe(bench.model());
    for await (const _ of await chain.stream({ q: "Count" }, { callbacks: [bench.handler] })) break;
    expect(only(await settled(bench)).outcome).toMatch(/^(?:ok|abandoned)$/);
  });

  it("by streamEvents leaves nothing open", async () => {
    await using bench = await startBench(() => ({ events: chatChunks(PIECES), everyMs: 5 }));
    const chain = ChatPromptTemplate.fromTemplate("{q}").pipe(bench.model());
    const reading = (async () => {
      let seen = 0;
      for await (const _ of chain.streamEvents(
        { q: "Count" },
        { version: "v2", callbacks: [bench.handler] },
      )) {
        seen += 1;
        if (seen === 6) break;
      }
      return "left";
    })();
    // On Node 22 the oldest host throws its own abort into a reader who leaves.
    expect(await reading.catch(String)).toMatch(OLDEST_HOST ? /^left$|abort/i : /^left$/);
    expect(only(await settled(bench)).outcome).toMatch(/^(?:ok|aborted|abandoned)$/);
  });
});

describe("a connection that breaks", () => {
  it("in the middle of a stream is an error, with what came", async () => {
    await using bench = await startBench(() => ({
      events: chatChunks(PIECES, { cut: true }),
      everyMs: 5,
      after: "break",
    }));
    const reading = (async () => {
      for await (const _ of await bench.model().stream("Count", { callbacks: [bench.handler] }));
    })();
    await expect(reading).rejects.toThrow(STOPPED);
    const entry = only(await settled(bench));
    expect(entry.outcome).toBe("error");
    expect(entry.outputContent).toMatch(/^One two three /); // the host calls back for a piece after handing it on
  });
});

describe("the end of the root", () => {
  it("ends what is still open under it", async () => {
    await using bench = await startBench(() => ({ hang: true }));
    const parallel = RunnableParallel.from({
      slow: bench.model(),
      failing: RunnableLambda.from(async () => {
        await expect.poll(() => bench.server.requests.length, WAIT).toBe(1);
        throw new Error("one branch fails");
      }),
    });
    await expect(parallel.invoke("Hello!", { callbacks: [bench.handler] })).rejects.toThrow(
      "one branch fails",
    );
    expect(bench.handler.stats.open).toBe(0);
    const entries = await bench.entries();
    expect(only(entries.filter(({ operation }) => operation === "chat"))).toMatchObject({
      outcome: "abandoned",
      inputContent: "Hello!",
    });
    expect(only(entries.filter(({ operation }) => operation === "event"))).toMatchObject({
      outcome: "error",
      metadata: { event: "run_failed" },
      run: { path: ["RunnableMap", "RunnableLambda"] },
    });
  });

  it("that nobody awaited a call for makes a late end count for nothing", async () => {
    await using bench = await startBench(() => chat("late"));
    let late: Promise<unknown> | undefined;
    const model = bench.model();
    const chain = RunnableLambda.from((_: string, config) => {
      late = model.invoke("Hello!", config);
      return "done";
    });
    await chain.invoke("x", { callbacks: [bench.handler] });
    await late;
    expect(await settled(bench)).toHaveLength(1);
    expect(bench.handler.stats).toEqual({ open: 0, written: 1, lost: 0 });
  });
});

describe("close()", () => {
  it("of the handler ends what is open as abandoned, with what came, and the handler goes on", async () => {
    await using bench = await startBench(() => ({
      events: chatChunks(PIECES, { cut: true }),
      after: "hang",
    }));
    const stream = await bench.model().stream("Count", { callbacks: [bench.handler] });
    for await (const chunk of stream) if (chunk.text === "three ") break;
    await bench.handler.close();
    expect(only(await bench.entries())).toMatchObject({ outcome: "abandoned", streamed: true });
    bench.server.respond = () => chat("Hi.");
    await bench.model().invoke("Hello!", { callbacks: [bench.handler] });
    expect(bench.handler.stats).toEqual({ open: 0, written: 2, lost: 0 });
  });

  it("of the logger ends what is open as abandoned, with what came", async () => {
    await using bench = await startBench(() => ({
      events: chatChunks(PIECES, { cut: true }),
      after: "hang",
    }));
    const abort = new AbortController();
    const stream = await bench
      .model()
      .stream("Count", { callbacks: [bench.handler], signal: abort.signal });
    const iterator = stream[Symbol.asyncIterator]();
    for (let read = 0; read < 4; read++) await iterator.next();
    await bench.logger.close();
    const entry = only(await bench.entries());
    expect(entry.outcome).toBe("abandoned");
    expect(entry.outputContent).toMatch(/^One two /);
    abort.abort();
  });
});

describe("what is known of a call's end when it closes", () => {
  it.each(["handler", "logger"] as const)("is its outcome: close() of the %s", async (closed) => {
    await using bench = await startBench();
    const calls = {
      open: new AbortController(),
      aborted: new AbortController(),
      timedOut: new AbortController(),
    };
    for (const [runId, { signal }] of Object.entries(calls)) {
      await bench.handler.handleChatModelStart({ id: ["FakeChat"] }, [[]], runId, undefined, {
        options: { signal },
      });
      bench.handler.handleLLMNewToken(`${runId}…`, { completion: 0 }, runId);
    }
    calls.aborted.abort();
    calls.timedOut.abort(new DOMException("too long", "TimeoutError"));
    await bench[closed].close();
    const entries = await bench.entries();
    expect(
      entries.map(({ outputContent, outcome }) => `${outputContent} ${outcome}`).toSorted(),
    ).toEqual(["aborted… aborted", "open… abandoned", "timedOut… timeout"]);
    expect(bench.handler.stats).toEqual({ open: 0, written: 3, lost: 0 });
  });
});

describe("beyond maxOpenRuns", () => {
  it("the oldest call ends as abandoned, and says why", async () => {
    await using bench = await startBench(() => ({ hang: true }), { maxOpenRuns: 2 });
    const abort = new AbortController();
    const calls = ["a", "b", "c"].map((text) =>
      bench.model().invoke(text, { callbacks: [bench.handler], signal: abort.signal }),
    );
    await expect.poll(() => bench.handler.stats.written, WAIT).toBe(1);
    expect(only(await bench.entries())).toMatchObject({
      inputContent: "a",
      outcome: "abandoned",
      alerts: ["ai-audit: ended as the oldest of more than 2 open calls"],
    });
    abort.abort();
    await Promise.allSettled(calls);
    expect(await settled(bench)).toHaveLength(3);
  });
});

describe("callbacks in an order nobody expects", () => {
  const START: [unknown, unknown[][]] = [
    { id: ["langchain", "chat_models", "fake", "FakeChat"] },
    [[]],
  ];
  const RESULT = { generations: [[{ text: "Hi.", generationInfo: {} }]] };

  it("are one entry: the first end wins", async () => {
    await using bench = await startBench();
    const { handler } = bench;
    await handler.handleChatModelStart(...START, "run-1");
    await Promise.all([
      handler.handleLLMEnd(RESULT, "run-1"),
      handler.handleLLMError(new Error("late"), "run-1"),
      handler.handleLLMEnd(RESULT, "run-1"),
    ]);
    expect(only(await bench.entries())).toMatchObject({ outcome: "ok", outputContent: "Hi." });
  });

  it("of runs that never began do nothing", async () => {
    await using bench = await startBench();
    const { handler } = bench;
    await handler.handleLLMEnd(RESULT, "unknown");
    await handler.handleLLMError(new Error("x"), "unknown");
    await handler.handleChainEnd({}, "unknown");
    await handler.handleChainError(new Error("x"), "unknown");
    await handler.handleToolEnd("x", "unknown");
    await handler.handleToolError(new Error("x"), "unknown");
    handler.handleLLMNewToken("x", undefined, "unknown");
    handler.handleChatModelStreamEvent({}, "unknown");
    expect(await bench.entries()).toEqual([]);
  });

  it("with pieces nobody foresaw never throw into the stream, and the entry says so", async () => {
    await using bench = await startBench();
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error("no");
        },
      },
    );
    await bench.handler.handleChatModelStart(...START, "run-1");
    bench.handler.handleLLMNewToken("Hi", { completion: 0 }, "run-1");
    bench.handler.handleLLMNewToken("!", { completion: 0 }, "run-1", undefined, undefined, {
      chunk: hostile,
    });
    bench.handler.handleChatModelStreamEvent(hostile, "run-1");
    await bench.handler.handleLLMError(new Error("lost"), "run-1");
    expect(only(await bench.entries())).toMatchObject({
      outcome: "error",
      outputContent: "Hi!",
      alerts: ["ai-audit: 2 pieces of the stream could not be read"],
    });
  });

  it("with payloads nobody foresaw leave an entry that says so", async () => {
    await using bench = await startBench();
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error("no");
        },
      },
    );
    await bench.handler.handleChatModelStart(
      null,
      [[hostile]],
      "run-1",
      undefined,
      undefined,
      undefined,
      undefined,
    );
    await bench.handler.handleLLMEnd({ generations: [[hostile]] }, "run-1");
    const entry = only(await bench.entries());
    const unread = "ai-audit: not everything could be read (Error)";
    expect(entry.alerts).toEqual([unread]);
  });
});
