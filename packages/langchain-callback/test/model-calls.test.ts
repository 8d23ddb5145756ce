import { describe, expect, it } from "vitest";
import { startBench } from "./fixtures.ts";
import { chat, chatFor, failure, lastText } from "./openai-server.ts";

describe("a chat model call", () => {
  it("leaves one entry, durable before invoke resolves", async () => {
    await using bench = await startBench();
    await bench.model().invoke("Hello!", { callbacks: [bench.handler] });
    const [entry, ...rest] = await bench.entries();
    expect(rest).toEqual([]);
    expect(entry).toMatchObject({
      operation: "chat",
      outcome: "ok",
      provider: "openai",
      model: "gpt-test",
      responseModel: "gpt-test-2026",
      finishReasons: ["stop"],
      inputTokens: 11,
      outputTokens: 7,
      usage: { cachedInputTokens: 3, reasoningOutputTokens: 2, source: "reported" },
      safetyPassed: true,
      inputContent: "Hello!",
      outputContent: "Hi.",
    });
    expect(bench.handler.stats).toEqual({ open: 0, written: 1, lost: 0 });
  });

  it("is recorded when streamed, with the time to its first token", async () => {
    await using bench = await startBench((request) => chatFor(request, "One two three"));
    let text = "";
    for await (const chunk of await bench.model().stream("Count", { callbacks: [bench.handler] })) text += chunk.text;
    expect(text).toBe("One two three");
    const [entry, ...rest] = await bench.entries();
    expect(rest).toEqual([]);
    expect(entry).toMatchObject({
      outcome: "ok",
      streamed: true,
      outputContent: "One two three",
      inputTokens: 11,
      finishReasons: ["stop"],
    });
    expect(entry?.responseModel).toBe("gpt-test-2026");
    expect(entry?.timeToFirstTokenMs).toBeGreaterThan(0);
  });

  it("is one entry for each input of a batch", async () => {
    await using bench = await startBench((request) => chat(`re: ${lastText(request)}`));
    await bench.model().batch(["a", "b", "c"], { callbacks: [bench.handler] });
    const entries = await bench.entries();
    expect(entries.map((entry) => [entry.inputContent, entry.outputContent]).toSorted()).toEqual([
      ["a", "re: a"],
      ["b", "re: b"],
      ["c", "re: c"],
    ]);
  });

  it("that fails is an error with code and status and without the key", async () => {
    await using bench = await startBench(() =>
      failure(401, {
        message: "Incorrect API key provided: sk-proj-****ghij.",
        type: "invalid_request_error",
        code: "invalid_api_key",
      }),
    );
    await expect(bench.model().invoke("Hello!", { callbacks: [bench.handler] })).rejects.toThrow("Incorrect API key");
    const [entry, ...rest] = await bench.entries();
    expect(rest).toEqual([]);
    expect(entry).toMatchObject({
      outcome: "error",
      error: { status: 401, code: "invalid_api_key" },
      inputTokens: null,
      outputTokens: null,
    });
    expect(entry?.error?.message).not.toContain("ghij");
    expect(entry?.requestId).toMatch(/^req_/);
  });
});
