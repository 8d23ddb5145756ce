import { describe, expect, it } from "vitest";
import { OLDEST_HOST, only, startBench } from "./fixtures.ts";
import {
  chat,
  chatChunks,
  chatFor,
  failure,
  responded,
  responseEvents,
  type Reply,
} from "./openai-server.ts";

describe("an answer that a filter stops", () => {
  it("is blocked at the output, streamed or not", async () => {
    await using bench = await startBench((request) =>
      chatFor(request, "I would", { finishReason: "content_filter" }),
    );
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

  const cut = { status: "incomplete", incomplete_details: { reason: "content_filter" } };
  const blocked = {
    outcome: "blocked",
    detectorsTriggered: ["openai:content_filter"],
    blockReason: "content_filter",
    safetyChecks: ["openai:content_filter"],
    finishReasons: ["content_filter"],
    metadata: { blocked_at: "output" },
  };

  it("over the Responses API is blocked by its incomplete reason", async () => {
    await using bench = await startBench(() => responded("I would", cut));
    await bench.model({ useResponsesApi: true }).invoke("How?", { callbacks: [bench.handler] });
    expect(only(await bench.entries())).toMatchObject(blocked);
  });

  it.skipIf(OLDEST_HOST)(
    "over a stream of the Responses API is blocked by its incomplete reason",
    async () => {
      await using bench = await startBench(() => ({ events: responseEvents("I would", cut) }));
      const stream = await bench
        .model({ useResponsesApi: true })
        .stream("How?", { callbacks: [bench.handler] });
      for await (const _ of stream);
      expect(only(await bench.entries())).toMatchObject(blocked);
    },
  );
});

describe("a refusal", () => {
  it("over the Responses API is blocked, and its text is kept", async () => {
    await using bench = await startBench(() =>
      responded([{ type: "refusal", refusal: "I cannot help with that." }]),
    );
    await bench.model({ useResponsesApi: true }).invoke("How?", { callbacks: [bench.handler] });
    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      outcome: "blocked",
      safetyPassed: false,
      detectorsTriggered: ["openai:refusal"],
      blockReason: "refusal",
    });
    expect(bench.content(entry).output).toMatchObject({
      role: "assistant",
      refusal: "I cannot help with that.",
    });
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
    [
      "an answer of tool calls",
      chat(null, { toolCalls: [{ id: "call_1", name: "look", args: {} }] }),
    ],
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
    expect(only(await bench.entries())).toMatchObject({
      outcome: "ok",
      safetyPassed: true,
      detectorsTriggered: [],
    });
  });
});

describe("a request that the provider refuses to serve", () => {
  it.each([
    ["content_filter", undefined],
    ["content_policy_violation", undefined],
    ["cyber_policy", undefined],
    ["invalid_prompt", "input"],
  ])("with %s is blocked, at the side that the code names", async (code, side) => {
    await using bench = await startBench(() =>
      failure(400, {
        message: "Your request was rejected.",
        code,
        type: "invalid_request_error",
      }),
    );
    await expect(bench.model().invoke("How?", { callbacks: [bench.handler] })).rejects.toThrow(
      "rejected",
    );
    expect(only(await bench.entries())).toMatchObject({
      outcome: "blocked",
      safetyPassed: false,
      detectorsTriggered: [`openai:${code}`],
      safetyChecks: [`openai:${code}`],
      blockReason: code,
      error: { status: 400, code },
    });
    expect(only(await bench.entries()).metadata["blocked_at"]).toBe(side);
  });

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
    await expect(bench.model().invoke("How?", { callbacks: [bench.handler] })).rejects.toThrow(
      "filtered",
    );
    expect(only(await bench.entries())).toMatchObject({
      outcome: "blocked",
      detectorsTriggered: [
        "openai:content_filter",
        "azure:ResponsibleAIPolicyViolation",
        "azure:violence",
        "azure:jailbreak",
      ],
      safetyChecks: [
        "openai:content_filter",
        "azure:ResponsibleAIPolicyViolation",
        "azure:content_filter",
      ],
      blockReason: "content_filter, ResponsibleAIPolicyViolation, violence",
      metadata: { blocked_at: "input", safety: { content_filter_result: results } },
    });
  });

  it("for another reason is an error", async () => {
    await using bench = await startBench(() =>
      failure(400, { message: "no such model", code: "model_not_found" }),
    );
    await expect(bench.model().invoke("How?", { callbacks: [bench.handler] })).rejects.toThrow(
      "no such model",
    );
    expect(only(await bench.entries())).toMatchObject({
      outcome: "error",
      safetyPassed: true,
      detectorsTriggered: [],
    });
  });

  it("with an unknown code that looks like a policy's is an error, and flagged", async () => {
    await using bench = await startBench(() =>
      failure(400, { message: "No.", code: "new_policy_violation" }),
    );
    await expect(bench.model().invoke("How?", { callbacks: [bench.handler] })).rejects.toThrow(
      "No.",
    );
    expect(only(await bench.entries())).toMatchObject({
      outcome: "error",
      safetyPassed: false,
      detectorsTriggered: ["openai:suspected:new_policy_violation"],
    });
  });

  it("is judged by the user's own list of codes, where there is one", async () => {
    await using bench = await startBench(
      () => failure(400, { message: "house rules", code: "house_rule" }),
      {
        safetyCodes: { blocking: ["house_rule"], suspected: undefined },
      },
    );
    await expect(bench.model().invoke("How?", { callbacks: [bench.handler] })).rejects.toThrow(
      "house rules",
    );
    expect(only(await bench.entries())).toMatchObject({
      outcome: "blocked",
      blockReason: "house_rule",
    });
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
