import { createAgent, openAIModerationMiddleware, piiMiddleware } from "langchain";
import { describe, expect, it } from "vitest";
import { middleware, only, startBench } from "./fixtures.ts";
import { chat, chatChunks, chatFor, failure, response, responseEvents, type Reply } from "./openai-server.ts";

const user = (content: string): { messages: { role: string; content: string }[] } => ({
  messages: [{ role: "user", content }],
});

describe("an answer that a filter stops", () => {
  it("is blocked at the output, streamed or not", async () => {
    await using bench = await startBench((request) => chatFor(request, "I would", { finishReason: "content_filter" }));
    await bench.model().invoke("How?", { callbacks: [bench.handler] });
    for await (const _ of await bench.model().stream("How?", { callbacks: [bench.handler] }));
    const entries = await bench.entries();
    expect(entries).toHaveLength(2);
    for (const entry of entries) {
      expect(entry).toMatchObject({
        outcome: "blocked",
        safetyPassed: false,
        detectorsTriggered: ["openai:content_filter"],
        blockReason: "content_filter",
        finishReasons: ["content_filter"],
        metadata: { blocked_at: "output" },
        outputContent: "I would",
      });
    }
  });

  it("is a finding, not a block, as long as another candidate got through", async () => {
    const reply = chat("one", { more: ["two"] });
    if (!("json" in reply)) throw new Error("not JSON");
    const body = reply.json as { choices: { finish_reason: string }[] };
    body.choices[1]!.finish_reason = "content_filter";
    await using bench = await startBench(() => reply);
    await bench.model({ n: 2 }).invoke("How?", { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject({
      outcome: "ok",
      safetyPassed: false,
      detectorsTriggered: ["openai:content_filter"],
    });
  });

  it("over the Responses API is blocked by its incomplete reason", async () => {
    const cut = { status: "incomplete", incomplete_details: { reason: "content_filter" } };
    await using bench = await startBench((request) =>
      request.body["stream"] === true ? { events: responseEvents("I would", cut) } : response("I would", cut),
    );
    const model = bench.model({ useResponsesApi: true, callbacks: [bench.handler] });
    await model.invoke("How?");
    for await (const _ of await model.stream("How?"));
    const entries = await bench.entries();
    expect(entries).toHaveLength(2);
    for (const entry of entries) {
      expect(entry).toMatchObject({
        outcome: "blocked",
        detectorsTriggered: ["openai:content_filter"],
        blockReason: "content_filter",
        metadata: { safety: { incomplete_details: { reason: "content_filter" } } },
      });
    }
  });
});

describe("a refusal", () => {
  it("over the Responses API is blocked, and its text is kept", async () => {
    await using bench = await startBench(() => response([{ type: "refusal", refusal: "I cannot help with that." }]));
    await bench.model({ useResponsesApi: true }).invoke("How?", { callbacks: [bench.handler] });
    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      outcome: "blocked",
      safetyPassed: false,
      detectorsTriggered: ["openai:refusal"],
      blockReason: "refusal",
    });
    expect(bench.content(entry).output).toMatchObject({ role: "assistant", refusal: "I cannot help with that." });
  });

  it("that the host loses is inferred, and marked as inferred", async () => {
    const refused = {
      message: { refusal: "I cannot help with that." },
      usage: { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 },
    };
    await using bench = await startBench(() => chat(null, refused));
    await bench.model().invoke("How?", { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject({
      outcome: "ok",
      safetyPassed: false,
      detectorsTriggered: ["possible_refusal"],
      blockReason: null,
      metadata: { inferred: ["possible_refusal"] },
    });
  });

  it.each<[string, Reply]>([
    [
      "an empty answer that spent nothing",
      chat("", { usage: { prompt_tokens: 5, completion_tokens: 0, total_tokens: 5 } }),
    ],
    ["an answer of tool calls", chat(null, { toolCalls: [{ id: "call_1", name: "look", args: {} }] })],
    ["an answer cut at its length", chat("", { finishReason: "length" })],
    [
      "an answer that spent all on reasoning",
      chat("", {
        usage: {
          prompt_tokens: 5,
          completion_tokens: 9,
          total_tokens: 14,
          completion_tokens_details: { reasoning_tokens: 9 },
        },
      }),
    ],
    ["an ordinary answer", chat("Hi.")],
  ])("is not inferred from %s", async (_, reply) => {
    await using bench = await startBench(() => reply);
    await bench.model().invoke("How?", { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject({ outcome: "ok", safetyPassed: true, detectorsTriggered: [] });
  });
});

describe("a request that the provider refuses to serve", () => {
  it.each(["content_filter", "content_policy_violation", "cyber_policy", "invalid_prompt"])(
    "with %s is blocked at the input",
    async (code) => {
      await using bench = await startBench(() =>
        failure(400, { message: "Your request was rejected.", code, type: "invalid_request_error" }),
      );
      await expect(bench.model().invoke("How?", { callbacks: [bench.handler] })).rejects.toThrow("rejected");
      expect(only(await bench.entries())).toMatchObject({
        outcome: "blocked",
        safetyPassed: false,
        detectorsTriggered: [`openai:${code}`],
        blockReason: code,
        metadata: { blocked_at: "input" },
        error: { status: 400, code },
      });
    },
  );

  it("by Azure's filter keeps the categories", async () => {
    const results = {
      violence: { filtered: true, severity: "high" },
      hate: { filtered: false, severity: "safe" },
      jailbreak: { filtered: false, detected: true },
    };
    await using bench = await startBench(() =>
      failure(400, {
        message: "The response was filtered.",
        code: "content_filter",
        innererror: { code: "ResponsibleAIPolicyViolation", content_filter_result: results },
      }),
    );
    await expect(bench.model().invoke("How?", { callbacks: [bench.handler] })).rejects.toThrow("filtered");
    expect(only(await bench.entries())).toMatchObject({
      outcome: "blocked",
      detectorsTriggered: ["azure:violence", "azure:jailbreak", "openai:content_filter"],
      blockReason: "violence, content_filter",
      metadata: { blocked_at: "input", safety: { content_filter_results: results } },
    });
  });

  it("for another reason is an error", async () => {
    await using bench = await startBench(() => failure(400, { message: "no such model", code: "model_not_found" }));
    await expect(bench.model().invoke("How?", { callbacks: [bench.handler] })).rejects.toThrow("no such model");
    expect(only(await bench.entries())).toMatchObject({ outcome: "error", safetyPassed: true, detectorsTriggered: [] });
  });

  it("is judged by the user's own list of codes, where there is one", async () => {
    await using bench = await startBench(() => failure(400, { message: "house rules", code: "house_rule" }), {
      blockingCodes: ["house_rule"],
    });
    await expect(bench.model().invoke("How?", { callbacks: [bench.handler] })).rejects.toThrow("house rules");
    expect(only(await bench.entries())).toMatchObject({ outcome: "blocked", blockReason: "house_rule" });
  });
});

describe("moderation middleware", () => {
  const verdict = (flagged: boolean): Reply => ({
    json: {
      id: "modr-1",
      model: "omni-moderation-latest",
      results: [
        { flagged, categories: { violence: flagged, hate: false }, category_scores: { violence: 0.9, hate: 0.1 } },
      ],
    },
  });

  it("that ends the run leaves one event, with what it looked at, and no model call", async () => {
    await using bench = await startBench(() => verdict(true));
    const model = bench.model();
    const agent = createAgent({ model, tools: [], middleware: middleware(openAIModerationMiddleware, { model }) });
    await agent.invoke(user("bad words"), { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject({
      operation: "guardrail",
      outcome: "blocked",
      inputContent: "bad words",
      safetyPassed: false,
      safetyChecks: ["openai:moderation"],
      detectorsTriggered: ["openai:moderation"],
      metadata: { safety_event: "openai:moderation", blocked_at: "input" },
      run: { node: "OpenAIModerationMiddleware.before_model" },
    });
  });

  it("that throws leaves one event, though node and root both fail", async () => {
    await using bench = await startBench(() => verdict(true));
    const model = bench.model();
    const agent = createAgent({
      model,
      tools: [],
      middleware: middleware(openAIModerationMiddleware, { model, exitBehavior: "error" }),
    });
    await expect(agent.invoke(user("bad words"), { callbacks: [bench.handler] })).rejects.toThrow(
      "flagged for violence",
    );
    expect(only(await bench.entries())).toMatchObject({
      operation: "guardrail",
      outcome: "blocked",
      inputContent: "bad words",
      detectorsTriggered: ["openai:moderation", "openai:moderation:violence"],
      blockReason: "violence",
      metadata: { blocked_at: "input", category_scores: { violence: 0.9, hate: 0.1 } },
    });
  });

  it("that finds nothing is a check that ran", async () => {
    await using bench = await startBench((request) =>
      request.path.endsWith("/moderations") ? verdict(false) : chat("Hi."),
    );
    const model = bench.model();
    const agent = createAgent({ model, tools: [], middleware: middleware(openAIModerationMiddleware, { model }) });
    await agent.invoke(user("Hello!"), { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject({
      operation: "chat",
      outcome: "ok",
      safetyPassed: true,
      safetyChecks: ["openai:moderation"],
    });
  });
});

describe("PII middleware", () => {
  it("that blocks leaves one event without what it found", async () => {
    await using bench = await startBench();
    const agent = createAgent({
      model: bench.model(),
      tools: [],
      middleware: middleware(piiMiddleware, "email", { strategy: "block" }),
    });
    await expect(agent.invoke(user("I am joe@example.com"), { callbacks: [bench.handler] })).rejects.toThrow(
      "PII detected",
    );
    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      operation: "guardrail",
      outcome: "blocked",
      safetyPassed: false,
      detectorsTriggered: ["pii:email"],
      blockReason: "pii:email",
      metadata: { safety_event: "pii:email", matches: 1 },
    });
    expect(JSON.stringify(entry)).not.toContain("joe@example.com");
    expect(bench.server.requests).toEqual([]);
  });

  it("that redacts is a finding, and the model call has the redacted text only", async () => {
    await using bench = await startBench();
    const agent = createAgent({
      model: bench.model(),
      tools: [],
      middleware: middleware(piiMiddleware, "email", { strategy: "redact" }),
    });
    await agent.invoke(user("I am joe@example.com"), { callbacks: [bench.handler] });
    const [event, call, ...rest] = await bench.entries();
    expect(rest).toEqual([]);
    expect(event).toMatchObject({
      operation: "guardrail",
      outcome: "ok",
      safetyPassed: false,
      detectorsTriggered: ["pii:email"],
      metadata: { changed_at: "input" },
    });
    expect(call).toMatchObject({
      operation: "chat",
      safetyChecks: ["pii:email"],
      inputContent: "I am [REDACTED_EMAIL]",
    });
    expect(JSON.stringify([event, call])).not.toContain("joe@example.com");
  });
});

describe("a stream that is filtered in its middle", () => {
  it("keeps what came before", async () => {
    await using bench = await startBench(() => ({
      events: chatChunks(["So ", "you "], { finishReason: "content_filter", usage: null }),
    }));
    for await (const _ of await bench.model().stream("How?", { callbacks: [bench.handler] }));
    expect(only(await bench.entries())).toMatchObject({
      outcome: "blocked",
      outputContent: "So you ",
      inputTokens: null,
    });
  });
});
