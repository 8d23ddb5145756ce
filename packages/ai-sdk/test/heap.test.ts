// Nothing is kept of calls that are over, however they ended. With AUDIT_SOAK=1 alone: a round has
// 300 calls of one ending; HEAP_CALLS sets another number.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import { collectGarbage } from "@ai-audit/test-support/collect-garbage";
import { expectFlatHeap } from "@ai-audit/test-support/flat-heap";
import { isSoak } from "@ai-audit/test-support/soak";
import * as ai from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditAiSdk } from "../src/index.ts";
import { call, deltas, says, stop } from "./support/models.ts";

const CALLS = Number(process.env["HEAP_CALLS"] ?? 300);
/** What a call may leave in bytes, on average: far below one request, one response or one part. */
const BYTES_PER_CALL = 100;

const prompt = "Hello! ".repeat(100);
const chunks = deltas("Hello", ", ", "world");

/** The SDK's own mock models keep their calls. */
const provided: Parameters<typeof ai.wrapLanguageModel>[0]["model"] = {
  specificationVersion: "v4",
  provider: "house",
  modelId: "house-1",
  supportedUrls: {},
  doGenerate: async ({ prompt: asked, abortSignal }) => {
    await new Promise((resolve) => setImmediate(resolve));
    abortSignal?.throwIfAborted();
    const said = JSON.stringify(asked);
    if (said.includes("fail")) throw new Error("down");
    if (said.includes("filtered"))
      return { ...says(""), finishReason: { ...stop, unified: "content-filter" } };
    return said.includes("tool-result") || !said.includes("weather")
      ? says("Hello")
      : { ...call("weather", "{}", `call-${Math.random()}`) };
  },
  doStream: () => Promise.resolve({ stream: ai.simulateReadableStream({ chunks }) }),
};
const weather = ai.tool({ inputSchema: z.object({}), execute: () => "sunny" });

type Ending = (model: Exclude<ai.LanguageModel, string>) => Promise<unknown>;
const ENDINGS: Record<string, Ending> = {
  ok: (model) => ai.generateText({ model, prompt }),
  error: (model) => ai.generateText({ model, prompt: "fail", maxRetries: 0 }).catch(() => 0),
  blocked: (model) => ai.generateText({ model, prompt: "filtered" }),
  abort: (model) =>
    ai.generateText({ model, prompt, abortSignal: AbortSignal.abort() }).catch(() => 0),
  "an agent": (model) =>
    ai.generateText({
      model,
      prompt: "weather?",
      tools: { weather },
      stopWhen: ai.stepCountIs(3),
    }),
  "stream read": async (model) => Array.fromAsync(ai.streamText({ model, prompt }).stream),
  cancel: async (model) => (await model.doStream({ prompt: [] })).stream.cancel(),
  "never read": async (model) => void (await model.doStream({ prompt: [] })),
};

afterEach(() => {
  globalThis.AI_SDK_TELEMETRY_INTEGRATIONS = undefined;
});

describe.runIf(isSoak)("The heap", () => {
  it.each(Object.entries(ENDINGS))(
    "is flat over many calls that end as: %s",
    { timeout: 600_000 },
    async (_, run) => {
      const logger = new AuditLogger(new MemoryStorage({ maxEntries: 10 }));
      const audit = auditAiSdk({ logger });
      ai.registerTelemetry(audit.telemetry);
      const model = ai.wrapLanguageModel({ model: provided, middleware: audit.languageModel });
      await expectFlatHeap(
        async () => {
          for (let done = 0; done < CALLS; done += 1) {
            await run(model);
            if (done % 25 === 0) await new Promise((resolve) => setImmediate(resolve)); // finalizers are tasks
          }
          await expect
            .poll(async () => (await collectGarbage(), audit.stats.open), { timeout: 60_000 })
            .toBe(0);
        },
        50_000 + CALLS * BYTES_PER_CALL,
      );
      expect(audit.stats).toMatchObject({ open: 0, lost: 0 });
      await logger.close();
    },
  );
});
