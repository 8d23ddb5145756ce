// Options, detectors, people, agents and seams: calls of ai 7 against its mock models.
import { AuditLogger, ContentBlockedError, MemoryStorage, withAuditContext } from "@ai-audit/core";
import type { AuditEntry, Detector } from "@ai-audit/core";
import * as ai from "ai";
import { MockEmbeddingModelV4, MockLanguageModelV4 } from "ai/test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type AiSdkAudit, type AiSdkAuditOptions, auditAiSdk } from "../src/index.ts";
import { call, deltas, entriesOf, says, streaming } from "./support/models.ts";

let storage: MemoryStorage;
let logger: AuditLogger;

beforeEach(() => {
  storage = new MemoryStorage();
  logger = new AuditLogger(storage, { storeContent: true });
});

afterEach(async () => {
  globalThis.AI_SDK_TELEMETRY_INTEGRATIONS = undefined;
  globalThis.AI_SDK_DEFAULT_PROVIDER = undefined;
  await logger.close();
});

function entries(): Promise<AuditEntry[]> {
  return entriesOf(logger);
}

function auditing(options: Partial<AiSdkAuditOptions> = {}): AiSdkAudit {
  return auditAiSdk({ logger, ...options });
}

/** A model whose calls the middleware records, with the options. */
function wrapped(
  model: MockLanguageModelV4,
  options: Partial<AiSdkAuditOptions> = {},
): ai.LanguageModel {
  return ai.wrapLanguageModel({ model, middleware: auditing(options).languageModel });
}

const weather = ai.tool({
  inputSchema: z.object({ city: z.string() }),
  execute: ({ city }) => `sunny in ${city}`,
});

/** Runs an agent with tools, with the integration alone. */
async function runAgent(
  model: MockLanguageModelV4,
  tools: ai.ToolSet,
  more: object = {},
): Promise<AuditEntry[]> {
  ai.registerTelemetry(auditing().telemetry);
  await ai.generateText({ model, prompt: "Go", tools, stopWhen: ai.stepCountIs(3), ...more });
  return entries();
}

/** The body of a response for a chat in a browser. */
async function bytesOf(model: ai.LanguageModel): Promise<string> {
  const result = ai.streamText({ model, prompt: "Hi" });
  const stream = ai.toUIMessageStream({
    stream: result.stream,
    generateMessageId: () => "m-1",
  });
  return ai.createUIMessageStreamResponse({ stream }).text();
}

describe("Options", () => {
  it.each([
    [{ logger: undefined }, "logger"],
    [{ intent: "yes" }, "intent"],
    [{ maxContentBytes: 0 }, "maxContentBytes"],
    [{ detectors: [{}] }, "detectors"],
    [{ capturInput: true }, "capturInput"],
  ])("that cannot work are refused by name: %o", (given, name) => {
    // @ts-expect-error: wrong on purpose
    expect(() => auditAiSdk({ logger, ...given })).toThrowError(
      expect.objectContaining({
        code: "AUDIT_CONFIG_INVALID",
        message: expect.stringContaining(name),
      }),
    );
  });

  it("give all entries their conversation, metadata, subject and actor; the context wins", async () => {
    const model = wrapped(new MockLanguageModelV4({ doGenerate: says("Hello") }), {
      conversationId: "c-1",
      metadata: { team: "desk" },
      actor: { id: "ada", kind: "user" },
    });
    await ai.generateText({ model, prompt: "Hi" });
    await withAuditContext({ actor: { id: "bob", kind: "user" } }, () =>
      ai.generateText({ model, prompt: "Hi" }),
    );
    expect(await entries()).toMatchObject([
      { conversationId: "c-1", metadata: { team: "desk" }, actor: { id: "ada" } },
      { conversationId: "c-1", actor: { id: "bob" } },
    ]);
  });

  it("keep content out of the log, by side and by size", async () => {
    const model = wrapped(new MockLanguageModelV4({ doGenerate: says("Hello") }), {
      captureInput: false,
      maxContentBytes: 2,
    });
    await ai.generateText({ model, prompt: "A secret question" });
    const [entry] = await entries();
    expect(JSON.stringify(entry)).not.toContain("secret");
    expect(entry?.inputContent).toContain('"omitted"');
    expect(entry?.outputContent).toContain('"omitted":"maxContentBytes"');
  });

  it("of the logger redact contents before they are hashed or kept", async () => {
    const redacting = new AuditLogger(new MemoryStorage(), {
      storeContent: true,
      redact: {
        fn: (_, value) =>
          typeof value === "string" ? value.replaceAll(/\S+@\S+/g, "[EMAIL]") : value,
      },
    });
    const model = wrapped(new MockLanguageModelV4({ doGenerate: says("Wrote to ann@x.org") }), {
      logger: redacting,
    });
    const { text } = await ai.generateText({ model, prompt: "Write to ann@x.org" });
    expect(text).toBe("Wrote to ann@x.org");
    const kept = await entriesOf(redacting);
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).toContain("[EMAIL]");
    expect(JSON.stringify(kept)).not.toContain("ann@x.org");
    await redacting.close();
  });
});

describe("intent", () => {
  it("makes the start of a model call and of a tool durable before each runs", async () => {
    const audit = auditing({ intent: true });
    ai.registerTelemetry(audit.telemetry);
    const started: string[] = [];
    let lines = 0;
    const append = storage.append.bind(storage);
    storage.append = async (line, id) => {
      await append(line, id);
      if (line.includes('"call.started"')) lines += 1;
    };
    const starts = (name: string): number => started.push(`${name} ${lines}`);
    const answers = [call("weather", '{"city":"Paris"}'), says("Sunny.")];
    const model = new MockLanguageModelV4({
      doGenerate: () => {
        starts("model");
        return Promise.resolve(answers.shift() ?? says(""));
      },
    });
    await ai.generateText({
      model: ai.wrapLanguageModel({ model, middleware: audit.languageModel }),
      prompt: "Weather?",
      tools: {
        weather: { ...weather, execute: () => (starts("tool"), "sunny") },
      },
      stopWhen: ai.stepCountIs(3),
    });
    expect(started).toEqual(["model 1", "tool 2", "model 3"]);
    const all = await entries();
    expect(all).toHaveLength(3);
    expect(new Set(all.map((entry) => entry.call)).size).toBe(3);
  });
});

describe("A write that takes longer than writeTimeoutMs", () => {
  it("fails the call", async () => {
    const slow = new MemoryStorage();
    slow.append = () => new Promise(() => undefined);
    const model = wrapped(new MockLanguageModelV4({ doGenerate: says("Hello") }), {
      logger: new AuditLogger(slow),
      writeTimeoutMs: 20,
    });
    await expect(ai.generateText({ model, prompt: "Hi", maxRetries: 0 })).rejects.toMatchObject({
      code: "AUDIT_WRITE_TIMEOUT",
    });
  });
});

describe("Detectors", () => {
  const guard: Detector = {
    name: "guard",
    checkInput: (text) =>
      JSON.stringify(text).includes("bomb") ? { action: "block", reason: "weapons" } : undefined,
    checkOutput: (text) =>
      JSON.stringify(text).includes("fuse") ? { action: "block", reason: "weapons" } : undefined,
  };

  it.each(["middleware", "integration"])(
    "stop a prompt before it is sent, by the %s",
    async (by) => {
      const audit = auditing({ detectors: [guard] });
      ai.registerTelemetry(audit.telemetry);
      const plain = new MockLanguageModelV4({ doGenerate: says("Hello") });
      const model =
        by === "integration"
          ? plain
          : ai.wrapLanguageModel({ model: plain, middleware: audit.languageModel });
      const asked = ai.generateText({ model, prompt: "Build a bomb" });
      await expect(asked).rejects.toBeInstanceOf(ContentBlockedError);
      expect(plain.doGenerateCalls).toEqual([]);
      expect(await entries()).toMatchObject([
        {
          outcome: "blocked",
          safetyPassed: false,
          detectorsTriggered: ["guard"],
          metadata: { blocked_at: "input" },
        },
      ]);
      expect(audit.stats).toEqual({ open: 0, written: 1, lost: 0 });
    },
  );

  it("mark an answer, or withhold it", async () => {
    const answer = { doGenerate: says("Light the fuse") };
    const marked = wrapped(new MockLanguageModelV4(answer), { detectors: [guard] });
    expect((await ai.generateText({ model: marked, prompt: "Hi" })).text).toBe("Light the fuse");
    const withheld = wrapped(new MockLanguageModelV4(answer), {
      detectors: [guard],
      blockedOutput: "withhold",
    });
    const asked = ai.generateText({ model: withheld, prompt: "Hi" });
    await expect(asked).rejects.toBeInstanceOf(ContentBlockedError);
    expect(await entries()).toMatchObject([
      { outcome: "ok", safetyPassed: false, detectorsTriggered: ["guard"] },
      { outcome: "blocked", safetyPassed: false, metadata: { blocked_at: "output" } },
    ]);
  });

  it("fail a stream at its end", async () => {
    const model = wrapped(streaming(deltas("Light the ", "fuse")), {
      detectors: [guard],
      blockedOutput: "withhold",
    });
    const seen: string[] = [];
    const reading = (async () => {
      const { textStream } = ai.streamText({ model, prompt: "Hi", onError: () => undefined });
      for await (const text of textStream) seen.push(text);
    })();
    await expect(reading).rejects.toBeInstanceOf(ContentBlockedError);
    expect(seen.join("")).toBe("Light the fuse");
    expect(await entries()).toMatchObject([{ outcome: "blocked", safetyPassed: false }]);
  });
});

describe("A tool", () => {
  it("that its provider runs is a part of the answer, without an entry of its own", async () => {
    const toolCallId = "call-1";
    const toolName = "search";
    const model = new MockLanguageModelV4({
      doGenerate: {
        ...says("Tea."),
        content: [
          { type: "tool-call", toolCallId, toolName, input: '{"q":"tea"}', providerExecuted: true },
          { type: "tool-result", toolCallId, toolName, result: ["a page"] },
          { type: "text", text: "Tea." },
        ],
      },
    });
    const search = ai.tool({
      type: "provider",
      id: "x.search",
      args: {},
      isProviderExecuted: true,
      inputSchema: z.any(),
      outputSchema: z.any(),
    } as never);
    const all = await runAgent(model, { search });
    expect(all.map(({ operation }) => operation)).toEqual(["chat"]);
    expect(all[0]?.outputContent).toContain("a page");
  });

  it("that throws is an error entry, and the agent goes on", async () => {
    const fails = { ...weather, execute: () => Promise.reject(new RangeError("no such city")) };
    const model = new MockLanguageModelV4({
      doGenerate: [call("weather", '{"city":"Atlantis"}'), says("I could not.")],
    });
    expect(await runAgent(model, { weather: fails })).toMatchObject([
      { operation: "chat", outcome: "ok" },
      { operation: "execute_tool", outcome: "error", error: { type: "RangeError" } },
      { operation: "chat", outcome: "ok", outputContent: "I could not." },
    ]);
  });

  it("runs within its run: a model call inside names it as its parent", async () => {
    const audit = auditing();
    ai.registerTelemetry(audit.telemetry);
    const inner = new MockLanguageModelV4({ doGenerate: says("Inner.") });
    const ask = ai.tool({
      inputSchema: z.object({}),
      execute: async () => (await ai.generateText({ model: inner, prompt: "In" })).text,
    });
    const model = new MockLanguageModelV4({ doGenerate: [call("ask", "{}"), says("Outer.")] });
    await ai.generateText({ model, prompt: "Out", tools: { ask }, stopWhen: ai.stepCountIs(3) });
    const all = await entries();
    const tool = all.find(({ operation }) => operation === "execute_tool");
    const within = all.find(({ outputContent }) => outputContent === "Inner.");
    expect(all).toHaveLength(4);
    expect(within?.run?.path).toContain("ask");
    expect(within?.run?.rootId).toBe(tool?.run?.rootId);
  });

  it("that two steps call twice at once has an entry each", async () => {
    const both = [
      ...call("weather", '{"city":"Paris"}').content,
      ...call("weather", '{"city":"Rome"}', "call-2").content,
    ];
    const model = new MockLanguageModelV4({
      doGenerate: [{ ...call("weather", ""), content: both }, says("Sunny.")],
    });
    const all = await runAgent(model, { weather });
    const tools = all.filter(({ operation }) => operation === "execute_tool");
    const answers = tools.map(({ outputContent }) => outputContent);
    expect(new Set(answers)).toEqual(new Set(["sunny in Paris", "sunny in Rome"]));
    expect(new Set(tools.map(({ run: of }) => of?.["requestedBy"]))).toEqual(new Set([all[0]?.id]));
  });

  it("that a person rejects does not run, and the rejection is on record", async () => {
    ai.registerTelemetry(auditing().telemetry);
    const model = new MockLanguageModelV4({
      doGenerate: [call("weather", '{"city":"Paris"}'), says("Then not.")],
    });
    let ran = false;
    const tools = {
      weather: { ...weather, needsApproval: true, execute: () => ((ran = true), "sunny") },
    };
    const asked = await ai.generateText({ model, prompt: "Weather?", tools });
    const request = asked.content.find((part) => part.type === "tool-approval-request");
    const approvalId = request?.approvalId ?? "";
    await withAuditContext({ actor: { id: "ada", kind: "user" } }, () =>
      ai.generateText({
        model,
        tools,
        messages: [
          { role: "user", content: "Weather?" },
          ...asked.response.messages,
          {
            role: "tool",
            content: [
              { type: "tool-approval-response", approvalId, approved: false, reason: "no" },
            ],
          },
        ],
      }),
    );
    expect(ran).toBe(false);
    const all = await entries();
    expect(all.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      "chat ok",
      "human_review interrupted",
      "human_review ok",
      "chat ok",
    ]);
    expect(all[2]).toMatchObject({
      actor: { id: "ada" },
      review: { of: approvalId, verdict: "rejected" },
    });
    expect(all[2]?.inputContent).toContain("Paris");
  });

  it("that a rule of the program approves or denies is nobody's decision", async () => {
    const model = new MockLanguageModelV4({
      doGenerate: [
        call("weather", '{"city":"Paris"}'),
        call("weather", '{"city":"Rome"}', "call-2"),
        says("Done."),
      ],
    });
    const toolApproval = {
      weather: ({ city }: { city: string }) => (city === "Paris" ? "approved" : "denied"),
    };
    const all = await runAgent(model, { weather }, { toolApproval });
    expect(all.map(({ operation }) => operation)).toEqual(["chat", "execute_tool", "chat", "chat"]);
  });
});

describe("A fallback to another model", () => {
  it.each(["alone", "beside the integration"])(
    "leaves an entry of each model, by the middleware %s",
    async (how) => {
      const audit = auditing();
      if (how !== "alone") ai.registerTelemetry(audit.telemetry);
      const failing = new MockLanguageModelV4({
        modelId: "first",
        doGenerate: () => Promise.reject(new Error("down")),
      });
      const second = ai.wrapLanguageModel({
        model: new MockLanguageModelV4({ modelId: "second", doGenerate: says("Hello") }),
        middleware: audit.languageModel,
      });
      const model = ai.wrapLanguageModel({
        model: failing,
        middleware: [
          {
            specificationVersion: "v4",
            wrapGenerate: async ({ doGenerate, params }) => {
              try {
                return await doGenerate();
              } catch {
                return second.doGenerate(params);
              }
            },
          },
          audit.languageModel,
        ],
      });
      expect((await ai.generateText({ model, prompt: "Hi" })).text).toBe("Hello");
      expect(await entries()).toMatchObject([
        { model: "first", outcome: "error" },
        { model: "second", outcome: "ok", outputContent: "Hello" },
      ]);
      expect(audit.stats).toEqual({ open: 0, written: 2, lost: 0 });
    },
  );
});

describe("A retry", () => {
  it("is an entry with its attempt where the integration is registered", async () => {
    const audit = auditing();
    ai.registerTelemetry(audit.telemetry);
    let tries = 0;
    const model = new MockLanguageModelV4({
      doGenerate: () => {
        tries += 1;
        return tries > 1
          ? Promise.resolve(says("Hello"))
          : Promise.reject(
              new ai.APICallError({
                message: "busy",
                url: "https://api.example.com/v1",
                requestBodyValues: {},
                statusCode: 503,
                responseHeaders: { "retry-after-ms": "1" },
                isRetryable: true,
              }),
            );
      },
    });
    await ai.generateText({ model, prompt: "Hi" });
    const all = await entries();
    expect(all).toMatchObject([{ outcome: "error" }, { outcome: "ok", run: { attempt: 2 } }]);
    expect(all[0]?.run?.rootId).toBe(all[1]?.run?.rootId);
  });
});

describe("Providers and registries", () => {
  const provider = ai.customProvider({
    languageModels: {
      small: new MockLanguageModelV4({ modelId: "small-1", doGenerate: says("Hi.") }),
    },
  });

  it("are wrapped as a whole", async () => {
    const audit = auditing();
    const registry = ai.createProviderRegistry({
      house: ai.wrapProvider({
        provider,
        languageModelMiddleware: audit.languageModel,
        imageModelMiddleware: audit.imageModel,
      }),
    });
    await ai.generateText({ model: registry.languageModel("house:small"), prompt: "Hi" });
    expect(await entries()).toMatchObject([{ model: "small-1", outcome: "ok" }]);
  });

  it("wrapped as the default serve models named by string", async () => {
    globalThis.AI_SDK_DEFAULT_PROVIDER = ai.wrapProvider({
      provider,
      languageModelMiddleware: auditing().languageModel,
    });
    await ai.generateText({ model: "small", prompt: "Hi" });
    expect(await entries()).toMatchObject([{ model: "small-1", outcome: "ok" }]);
  });
});

describe("A stream of UI messages", () => {
  it("has the bytes of the plain SDK's", async () => {
    const parts = deltas("Hel", "lo");
    const plain = await bytesOf(streaming(parts));
    const audit = auditing();
    const middleware = ai.wrapLanguageModel({
      model: streaming(parts),
      middleware: audit.languageModel,
    });
    expect(await bytesOf(middleware)).toBe(plain);
    ai.registerTelemetry(audit.telemetry);
    expect(await bytesOf(streaming(parts))).toBe(plain);
    expect(plain).toContain('"delta":"lo"');
    expect(await entries()).toMatchObject([
      { outcome: "ok", outputContent: "Hello" },
      { outcome: "ok", outputContent: "Hello" },
    ]);
  });
});

describe("A stream", () => {
  it("whose caller stops early is recorded whole", async () => {
    const model = wrapped(streaming(deltas("Hel", "lo")));
    const { textStream, finishReason } = ai.streamText({ model, prompt: "Hi" });
    for await (const _ of textStream) break;
    await finishReason;
    expect(await entries()).toMatchObject([{ outcome: "ok", outputContent: "Hello" }]);
  });

  it("that its provider ends quietly when the signal fires is aborted", async () => {
    const stopper = new AbortController();
    const model = ai.wrapLanguageModel({
      model: streaming(deltas("Hel", "lo").slice(0, 4)),
      middleware: auditing().languageModel,
    });
    const { stream } = await model.doStream({ prompt: [], abortSignal: stopper.signal });
    stopper.abort();
    await Array.fromAsync(stream);
    expect(await entries()).toMatchObject([{ outcome: "aborted", outputContent: "Hel" }]);
  });

  it("that nobody reads is abandoned when the logger closes", async () => {
    const audit = auditing();
    const model = ai.wrapLanguageModel({
      model: streaming(deltas("Hello")),
      middleware: audit.languageModel,
    });
    await model.doStream({ prompt: [] });
    expect(audit.stats.open).toBe(1);
    await logger.close();
    expect(audit.stats).toEqual({ open: 0, written: 1, lost: 0 });
    expect(await entries()).toMatchObject([{ outcome: "abandoned", streamed: true }]);
  });

  it("keeps what the provider says of its parts", async () => {
    const [start, ...rest] = deltas("Hello");
    const model = wrapped(
      streaming([
        ...(start ? [start] : []),
        { type: "reasoning-start", id: "r" },
        { type: "reasoning-delta", id: "r", delta: "Hm." },
        { type: "reasoning-end", id: "r", providerMetadata: { anthropic: { signature: "s-1" } } },
        ...rest,
      ]),
    );
    await ai.streamText({ model, prompt: "Hi" }).text;
    const [entry] = await entries();
    expect(JSON.parse(entry?.outputContent ?? "")).toEqual([
      {
        type: "reasoning",
        text: "Hm.",
        providerMetadata: { anthropic: { signature: "s-1" } },
      },
      { type: "text", text: "Hello" },
    ]);
  });
});

describe("An agent", () => {
  it("is a run with the name of its telemetry, and its steps in it", async () => {
    ai.registerTelemetry(auditing().telemetry);
    const agent = new ai.ToolLoopAgent({
      model: new MockLanguageModelV4({
        doGenerate: [call("weather", '{"city":"Paris"}'), says("Sunny.")],
      }),
      tools: { weather },
      telemetry: { functionId: "forecaster" },
    });
    await agent.generate({ prompt: "Weather?" });
    const all = await entries();
    expect(all.map(({ operation }) => operation)).toEqual(["chat", "execute_tool", "chat"]);
    for (const { run } of all) expect(run?.["agentName"]).toBe("forecaster");
  });
});

describe("Telemetry of a single call", () => {
  it("with integrations of its own leaves the middleware its calls", async () => {
    const audit = auditing();
    ai.registerTelemetry(audit.telemetry);
    const model = ai.wrapLanguageModel({
      model: new MockLanguageModelV4({ doGenerate: says("Hello") }),
      middleware: audit.languageModel,
    });
    await ai.generateText({ model, prompt: "Hi", telemetry: { integrations: [] } });
    expect(await entries()).toMatchObject([
      { outcome: "ok", inputContent: expect.stringContaining("Hi") },
    ]);
  });

  it("that hides inputs hides them from no digest of the middleware", async () => {
    const audit = auditing();
    ai.registerTelemetry(audit.telemetry);
    const model = ai.wrapLanguageModel({
      model: new MockLanguageModelV4({ doGenerate: says("Hello") }),
      middleware: audit.languageModel,
    });
    await ai.generateText({
      model,
      prompt: "A question",
      telemetry: { recordInputs: false, recordOutputs: false },
    });
    expect(await entries()).toMatchObject([
      { inputContent: expect.stringContaining("A question"), outputContent: "Hello" },
    ]);
  });
});

describe("Structured output", () => {
  it("keeps the schema with the prompt", async () => {
    const model = wrapped(new MockLanguageModelV4({ doGenerate: says('{"city":"Paris"}') }));
    const schema = z.object({ city: z.string() });
    const { output } = await ai.generateText({
      model,
      prompt: "Capital?",
      output: ai.Output.object({ schema }),
    });
    expect(output).toEqual({ city: "Paris" });
    const [entry, ...others] = await entries();
    expect(others).toEqual([]);
    expect(entry?.inputContent).toContain('"response_format"');
    expect(entry?.parameters).toMatchObject({ response_format: expect.anything() });
  });
});

describe("embedMany", () => {
  it("leaves an entry for each request", async () => {
    const model = ai.wrapEmbeddingModel({
      model: new MockEmbeddingModelV4({
        maxEmbeddingsPerCall: 2,
        doEmbed: ({ values }) =>
          Promise.resolve({
            embeddings: values.map(() => [1, 2]),
            usage: { tokens: values.length },
            warnings: [],
          }),
      }),
      middleware: auditing().embeddingModel,
    });
    await ai.embedMany({ model, values: ["a", "b", "c"] });
    const all = await entries();
    expect(all.toSorted((a, b) => Number(a.inputTokens) - Number(b.inputTokens))).toMatchObject([
      { inputTokens: 1 },
      { inputTokens: 2 },
    ]);
  });
});
