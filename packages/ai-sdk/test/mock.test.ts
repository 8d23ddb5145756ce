// Calls of both majors of the SDK against its own mock models.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuditEntry, AuditLogger } from "@ai-audit/core";
import * as ai7 from "ai";
import { MockEmbeddingModelV4, MockImageModelV4, MockLanguageModelV4 } from "ai/test";
import * as ai6 from "ai-v6";
import { MockLanguageModelV3 } from "ai-v6/test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditAiSdk } from "../src/index.ts";

const usage = {
  inputTokens: { total: 10, noCache: 7, cacheRead: 3, cacheWrite: undefined },
  outputTokens: { total: 5, text: 4, reasoning: 1 },
};
const stop = { unified: "stop" as const, raw: "stop" };
const toolCalls = { unified: "tool-calls" as const, raw: "tool_calls" };
const text = (said: string) => ({
  content: [{ type: "text" as const, text: said }],
  finishReason: stop,
  usage,
  warnings: [],
  response: { id: "resp-1", modelId: "served-1" },
});
const lookUp = {
  content: [
    {
      type: "tool-call" as const,
      toolCallId: "call-1",
      toolName: "weather",
      input: '{"city":"Paris"}',
    },
  ],
  finishReason: toolCalls,
  usage,
  warnings: [],
};
const deltas = [
  { type: "stream-start" as const, warnings: [] },
  { type: "response-metadata" as const, id: "resp-2", modelId: "served-2" },
  { type: "text-start" as const, id: "1" },
  { type: "text-delta" as const, id: "1", delta: "Hel" },
  { type: "text-delta" as const, id: "1", delta: "lo" },
  { type: "text-end" as const, id: "1" },
  { type: "finish" as const, finishReason: stop, usage },
];

let directory: string;
let logger: AuditLogger;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ai-audit-ai-sdk-"));
  logger = new AuditLogger(directory, { storeContent: true });
});

afterEach(async () => {
  globalThis.AI_SDK_TELEMETRY_INTEGRATIONS = undefined;
  await logger.close();
  await rm(directory, { recursive: true, force: true });
});

/** A part without the times and the ids that the SDK makes. */
function typeOf(part: { readonly type: string; readonly text?: string }): unknown {
  return [part.type, part.text];
}

/** Asks for the weather, then tells it. */
function agent(): MockLanguageModelV4 {
  let step = 0;
  return new MockLanguageModelV4({
    doGenerate: () => Promise.resolve((step += 1) === 1 ? lookUp : text("Sunny.")),
  });
}

async function entries(): Promise<AuditEntry[]> {
  const found = await Array.fromAsync(logger.entries());
  return found.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

describe.each([
  ["ai 6", ai6, MockLanguageModelV3],
  ["ai 7", ai7, MockLanguageModelV4],
])("the middleware in %s", (_major, ai, Mock) => {
  // The two majors declare the same functions with types of their own.
  const { generateText, streamText, wrapLanguageModel } = ai as typeof ai7;
  const wrap = (mock: object): ReturnType<typeof wrapLanguageModel> =>
    wrapLanguageModel({
      model: mock as MockLanguageModelV4,
      middleware: auditAiSdk({ logger }).languageModel,
    });

  it("leaves one entry for a whole answer", async () => {
    const model = wrap(new Mock({ doGenerate: text("Hello") as never }));
    await generateText({ model, prompt: "Hi" });
    const [entry, ...others] = await entries();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      operation: "chat",
      outcome: "ok",
      model: "mock-model-id",
      responseId: "resp-1",
      responseModel: "served-1",
      inputTokens: 10,
      outputTokens: 5,
      usage: { cachedInputTokens: 3, reasoningOutputTokens: 1, source: "reported" },
      finishReasons: ["stop"],
      outputContent: "Hello",
    });
  });

  it("leaves one entry for a stream, which arrives unchanged", async () => {
    const mock = new Mock({
      doStream: (() =>
        Promise.resolve({ stream: ai7.simulateReadableStream({ chunks: deltas }) })) as never,
    });
    const read = [wrap(mock), mock].map((model) => {
      const { fullStream } = streamText({ model: model as never, prompt: "Hi" });
      return Array.fromAsync(fullStream, typeOf);
    });
    const [audited, plain] = await Promise.all(read);
    expect(audited).toEqual(plain);
    const [entry, ...others] = await entries();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      outcome: "ok",
      streamed: true,
      responseId: "resp-2",
      inputTokens: 10,
      outputContent: "Hello",
    });
  });

  it("calls a filtered answer blocked", async () => {
    const blocked = {
      ...text(""),
      content: [],
      finishReason: { unified: "content-filter", raw: undefined },
    };
    const model = wrap(new Mock({ doGenerate: blocked as never }));
    await generateText({ model, prompt: "Hi" });
    expect(await entries()).toMatchObject([{ outcome: "blocked", safetyPassed: false }]);
  });

  it("keeps the part of a stream that was cut", async () => {
    const model = wrap(
      new Mock({
        doStream: (() =>
          Promise.resolve({
            stream: ai7.simulateReadableStream({ chunks: deltas.slice(0, 5) }),
          })) as never,
      }),
    );
    const { stream } = await (model as MockLanguageModelV4).doStream({ prompt: [] });
    await Array.fromAsync(stream);
    expect(await entries()).toMatchObject([
      { outcome: "error", error: { type: "TruncatedStream" }, outputContent: "Hello" },
    ]);
  });

  it("ends a stream whose reader leaves as aborted", async () => {
    const model = wrap(
      new Mock({
        doStream: (() =>
          Promise.resolve({ stream: ai7.simulateReadableStream({ chunks: deltas }) })) as never,
      }),
    );
    const { stream } = await (model as MockLanguageModelV4).doStream({ prompt: [] });
    const reader = stream.getReader();
    for (let read = 0; read < 4; read += 1) await reader.read();
    await reader.cancel();
    expect(await entries()).toMatchObject([{ outcome: "aborted", outputContent: "Hel" }]);
  });

  it("leaves an entry for each attempt, and hands the error on", async () => {
    let asked = 0;
    const model = wrap(
      new Mock({
        doGenerate: (() => {
          asked += 1;
          return Promise.reject(
            new ai7.APICallError({
              message: "overloaded",
              url: "https://api.openai.com/v1/chat/completions",
              requestBodyValues: {},
              statusCode: 503,
              isRetryable: false,
            }),
          );
        }) as never,
      }),
    );
    await expect(generateText({ model, prompt: "Hi" })).rejects.toThrow("overloaded");
    expect(asked).toBe(1);
    expect(await entries()).toMatchObject([
      {
        outcome: "error",
        error: { type: "AI_APICallError", status: 503 },
        provider: "openai",
        server: { address: "api.openai.com" },
      },
    ]);
  });

  it("sends nothing when the start cannot be recorded", async () => {
    await logger.close();
    let asked = 0;
    const model = wrap(
      new Mock({
        doGenerate: (() => {
          asked += 1;
          return Promise.resolve(text("Hello"));
        }) as never,
      }),
    );
    await expect(generateText({ model, prompt: "Hi", maxRetries: 0 })).rejects.toMatchObject({
      code: "AUDIT_CLOSED",
    });
    expect(asked).toBe(0);
  });
});

describe("the integration in ai 7", () => {
  const weather = ai7.tool({
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => `sunny in ${city}`,
  });
  const run = (model: ai7.LanguageModel) =>
    ai7.generateText({
      model,
      prompt: "Weather?",
      tools: { weather },
      stopWhen: ai7.stepCountIs(3),
    });

  it.each(["alone", "beside the middleware"])(
    "leaves one entry a model call and one a tool call, linked: %s",
    async (how) => {
      const audit = auditAiSdk({ logger });
      ai7.registerTelemetry(audit.telemetry);
      const model = agent();
      const { text: said } = await run(
        how === "alone" ? model : ai7.wrapLanguageModel({ model, middleware: audit.languageModel }),
      );
      expect(said).toBe("Sunny.");
      const [first, tool, second, ...others] = await entries();
      expect(others).toEqual([]);
      expect([first, tool, second]).toMatchObject([
        { operation: "chat", outcome: "ok" },
        { operation: "execute_tool", outcome: "ok", outputContent: "sunny in Paris" },
        { operation: "chat", outcome: "ok", outputContent: "Sunny." },
      ]);
      expect(tool?.run).toMatchObject({
        toolName: "weather",
        toolCallId: "call-1",
        requestedBy: first?.id,
      });
      expect(new Set([first, tool, second].map((entry) => entry?.run?.rootId)).size).toBe(1);
      expect(audit.stats).toMatchObject({ open: 0, written: 3, lost: 0 });
    },
  );

  it("observes a stream that no middleware sees", async () => {
    ai7.registerTelemetry(auditAiSdk({ logger }).telemetry);
    const model = new MockLanguageModelV4({
      doStream: () =>
        Promise.resolve({ stream: ai7.simulateReadableStream({ chunks: deltas }) }) as never,
    });
    const said = await Array.fromAsync(ai7.streamText({ model, prompt: "Hi" }).textStream);
    expect(said.join("")).toBe("Hello");
    expect(await entries()).toMatchObject([
      { outcome: "ok", streamed: true, outputContent: "Hello" },
    ]);
  });

  it("leaves the middleware its calls where telemetry is off", async () => {
    const audit = auditAiSdk({ logger });
    ai7.registerTelemetry(audit.telemetry);
    const model = ai7.wrapLanguageModel({
      model: new MockLanguageModelV4({ doGenerate: text("Hello") as never }),
      middleware: audit.languageModel,
    });
    await ai7.generateText({ model, prompt: "Hi", telemetry: { isEnabled: false } });
    expect(await entries()).toMatchObject([{ operation: "chat", outcome: "ok" }]);
  });

  it("runs no tool whose start cannot be recorded", async () => {
    const audit = auditAiSdk({ logger });
    let ran = false;
    await logger.close();
    await expect(
      audit.telemetry.executeTool({
        callId: "c",
        toolCallId: "t",
        execute: () => {
          ran = true;
          return Promise.resolve();
        },
      }),
    ).rejects.toMatchObject({ code: "AUDIT_CLOSED" });
    expect(ran).toBe(false);
  });

  it("records a question to a person and the decision", async () => {
    ai7.registerTelemetry(auditAiSdk({ logger }).telemetry);
    const tools = { weather: { ...weather, needsApproval: true } };
    const model = agent();
    const asked = await ai7.generateText({ model, prompt: "Weather?", tools });
    const request = asked.content.find((part) => part.type === "tool-approval-request");
    expect(request).toBeDefined();
    const approvalId = request?.type === "tool-approval-request" ? request.approvalId : "";
    await ai7.generateText({
      model,
      tools,
      messages: [
        { role: "user", content: "Weather?" },
        ...asked.response.messages,
        {
          role: "tool",
          content: [{ type: "tool-approval-response", approvalId, approved: true, reason: "fine" }],
        },
      ],
    });
    const all = await entries();
    expect(all.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      "chat ok",
      "human_review interrupted",
      "human_review ok",
      "execute_tool ok",
      "chat ok",
    ]);
    expect(all[2]?.review).toMatchObject({ of: approvalId, verdict: "approved" });
  });
});

describe("objects", () => {
  it("leave one entry, by the middleware", async () => {
    const model = ai7.wrapLanguageModel({
      model: new MockLanguageModelV4({ doGenerate: text('{"city":"Paris"}') }),
      middleware: auditAiSdk({ logger }).languageModel,
    });
    const schema = z.object({ city: z.string() });
    const { object } = await ai7.generateObject({ model, prompt: "Hi", schema });
    expect(object).toEqual({ city: "Paris" });
    expect(await entries()).toMatchObject([{ operation: "chat", outcome: "ok" }]);
  });
});

describe("images", () => {
  it("leave one entry with digests", async () => {
    const image = Buffer.alloc(5000, 1).toString("base64");
    const model = ai7.wrapImageModel({
      // The mock's own types do not fit under exactOptionalPropertyTypes.
      model: new MockImageModelV4({
        doGenerate: () =>
          Promise.resolve({
            images: [image],
            warnings: [],
            response: { timestamp: new Date(0), modelId: "served", headers: undefined },
          }),
      }) as never,
      middleware: auditAiSdk({ logger }).imageModel,
    });
    await ai7.generateImage({ model, prompt: "a cat" });
    const all = await entries();
    expect(all).toMatchObject([{ operation: "image_generation", inputContent: "a cat" }]);
    expect(all[0]?.outputContent).toContain('"bytes":5000');
    expect(all[0]?.outputContent).not.toContain(image.slice(0, 100));
  });
});

describe("embeddings", () => {
  it("leave one entry", async () => {
    const model = ai7.wrapEmbeddingModel({
      model: new MockEmbeddingModelV4({
        doEmbed: { embeddings: [[1, 2, 3]], usage: { tokens: 4 }, warnings: [] },
      }),
      middleware: auditAiSdk({ logger }).embeddingModel,
    });
    await ai7.embed({ model, value: "sea" });
    expect(await entries()).toMatchObject([
      { operation: "embeddings", outcome: "ok", inputTokens: 4, inputContent: "sea" },
    ]);
  });
});
