// Nothing is kept of runs that are over, however they ended. A round has 150 runs of one ending,
// with AUDIT_SOAK=1 2,000; HEAP_RUNS sets another number.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { FakeListChatModel, FakeStreamingChatModel } from "@langchain/core/utils/testing";
import {
  Annotation,
  Command,
  interrupt,
  MemorySaver,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AuditCallbackHandler } from "../src/index.ts";
import { collectGarbage } from "@ai-audit/test-support/collect-garbage";
import { expectFlatHeap } from "@ai-audit/test-support/flat-heap";
import { times } from "@ai-audit/test-support/soak";

const RUNS = Number(process.env["HEAP_RUNS"] ?? times(150, 2000));
/** What a run may leave in bytes, on average: far below one context, one input or one token. */
const BYTES_PER_RUN = 60;
const PROMPT = "What is the answer? ".repeat(50);

const list = new FakeListChatModel({ responses: ["one two three"], emitCustomEvent: false });
const failing = new FakeStreamingChatModel({ thrownErrorString: "fell over" });
const look = tool((at: { at: string }) => at.at, {
  name: "look",
  schema: z.object({ at: z.string() }),
});
const broken = tool(
  () => {
    throw new Error("broken");
  },
  { name: "broken", schema: z.object({}) },
);
const chain = RunnableLambda.from((text: string) => text).pipe(list);

const slow = new FakeListChatModel({
  responses: ["one two three"],
  emitCustomEvent: false,
  sleep: 3,
});
const saver = new MemorySaver();
const asking = new StateGraph(Annotation.Root({ text: Annotation<string> }))
  .addNode("ask", () => ({ text: interrupt<string, string>("really?") }))
  .addEdge(START, "ask")
  .compile({ checkpointer: saver });

type Ending = (config: { callbacks: [AuditCallbackHandler] }) => Promise<unknown>;

const ENDINGS: Record<string, Ending> = {
  ok: (config) => list.invoke(PROMPT, config),
  streamed: async (config) => {
    for await (const _ of await list.stream(PROMPT, config));
  },
  "broken off": async (config) => {
    for await (const _ of await list.stream(PROMPT, config)) break;
  },
  unread: async (config) => void (await list.stream(PROMPT, config)),
  error: (config) => failing.invoke(PROMPT, config).catch(() => undefined),
  aborted: async (config) => {
    const abort = new AbortController();
    const stream = await list.stream(PROMPT, { ...config, signal: abort.signal });
    const reading = (async () => {
      for await (const _ of stream) abort.abort();
    })();
    await reading.catch(() => undefined);
  },
  "a chain's": (config) => chain.invoke(PROMPT, config),
  "a chain's stream broken off": async (config) => {
    for await (const _ of await chain.stream(PROMPT, config)) break;
  },
  "events broken off": async (config) => {
    const reading = (async () => {
      for await (const { event } of chain.streamEvents(PROMPT, { ...config, version: "v2" })) {
        if (event === "on_chat_model_start") break;
      }
    })();
    await reading.catch(() => undefined); // on Node 22 the oldest host throws its own abort into a reader who leaves
  },
  "too late": (config) => slow.invoke(PROMPT, { ...config, timeout: 1 }).catch(() => undefined),
  "a human's review": async (config) => {
    const thread = { ...config, configurable: { thread_id: "t1" } };
    await asking.invoke({ text: PROMPT }, thread);
    await asking.invoke(new Command({ resume: "yes" }), thread);
    await saver.deleteThread("t1");
  },
  "a tool's": (config) => look.invoke({ at: PROMPT }, config),
  "a tool's error": (config) => broken.invoke({}, config).catch(() => undefined),
};

describe("The heap", () => {
  it.each(Object.entries(ENDINGS))(
    "is flat over many runs that end as: %s",
    { timeout: 600_000 },
    async (_, run) => {
      const logger = new AuditLogger(new MemoryStorage({ maxEntries: 10 }));
      const handler = new AuditCallbackHandler(logger, { failureMode: "open" });
      await expectFlatHeap(
        async () => {
          for (let done = 0; done < RUNS; done++) {
            await run({ callbacks: [handler] });
            if (done % 100 === 0) await new Promise((resolve) => setImmediate(resolve)); // finalizers are tasks
          }
          await expect
            .poll(async () => (await collectGarbage(), handler.stats.open), { timeout: 60_000 })
            .toBe(0);
        },
        80_000 + RUNS * BYTES_PER_RUN,
      );
      const { written, lost } = handler.stats;
      expect(lost).toBe(0);
      expect(written).toBeGreaterThan(0);
    },
  );
});
