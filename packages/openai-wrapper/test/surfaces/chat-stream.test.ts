// A streamed chat completion, collected from its chunks.
import { describe, expect, it } from "vitest";
import { collect, OPTIONS } from "./wire.ts";
import { REQUEST, chat, sha256, answer } from "./chat-payloads.ts";

const chunk = (choices: unknown, more: object = {}): object => ({
  id: "chatcmpl-2",
  object: "chat.completion.chunk",
  model: "gpt-5-2026-08-01",
  choices,
  ...more,
});

const delta = (value: object, finish: string | null = null, index = 0): object =>
  chunk([{ index, delta: value, finish_reason: finish }]);

const verdict = (filtered: boolean): object => ({
  violence: { filtered, severity: filtered ? "high" : "safe" },
});

describe("a streamed chat completion", () => {
  it("amounts to the same fields as the response that is not streamed", () => {
    const collector = collect(REQUEST, [
      delta({ role: "assistant", content: "" }),
      delta({ content: "Hi " }),
      delta({ content: "there" }),
      delta({}, "stop"),
      chunk([], { usage: answer.usage, system_fingerprint: "fp_1" }),
    ]);
    expect(collector.result()).toEqual({
      ...chat.response(answer, OPTIONS),
      responseId: "chatcmpl-2",
    });
  });

  it("has its first content with the first token, not with the role", () => {
    const collector = collect(REQUEST, [delta({ role: "assistant", content: "" })]);
    expect(collector.firstContentSeen).toBe(false);
    collector.push(delta({ content: "H" }));
    expect(collector.firstContentSeen).toBe(true);
  });

  it("is complete when every choice has a finish reason", () => {
    const collector = collect(REQUEST, [
      delta({ content: "a" }, "stop", 0),
      delta({ content: "b" }, null, 1),
    ]);
    expect(collector.terminal).toBe(false);
    collector.push(delta({}, "length", 1));
    expect(collector.terminal).toBe(true);
    expect(collector.result()).toMatchObject({
      output: [{ content: "a" }, { content: "b" }],
      finishReasons: ["stop", "length"],
    });
  });

  it("keeps what had come when it was cut", () => {
    const collector = collect(REQUEST, [delta({ content: "Once upon" })]);
    expect(collector.terminal).toBe(false);
    expect(collector.result()).toMatchObject({ output: "Once upon", finishReasons: [] });
  });

  it("keeps parallel tool calls apart by their index", () => {
    const call = (index: number, value: object): object =>
      delta({ tool_calls: [{ index, ...value }] });
    const collector = collect(REQUEST, [
      call(0, { id: "c0", type: "function", function: { name: "f", arguments: "" } }),
      call(1, { id: "c1", type: "function", function: { name: "g", arguments: "" } }),
      call(0, { function: { arguments: '{"a"' } }),
      call(1, { function: { arguments: '{"b"' } }),
      call(1, { function: { arguments: ":2}" } }),
      call(0, { function: { arguments: ":1}" } }),
      delta({}, "tool_calls"),
    ]);
    expect(collector.result().output).toEqual({
      tool_calls: [
        { id: "c0", type: "function", function: { name: "f", arguments: '{"a":1}' } },
        { id: "c1", type: "function", function: { name: "g", arguments: '{"b":2}' } },
      ],
    });
  });

  it("collects a refusal as a block", () => {
    const collector = collect(REQUEST, [
      delta({ role: "assistant", refusal: "I cannot " }),
      delta({ refusal: "help." }),
      delta({}, "stop"),
    ]);
    expect(collector.result()).toMatchObject({
      output: { role: "assistant", refusal: "I cannot help." },
      outcome: "blocked",
      safetyPassed: false,
      detectorsTriggered: ["openai:refusal"],
      metadata: { blocked_at: "output" },
    });
  });

  it("digests audio over the decoded bytes, wherever the pieces are cut", () => {
    const bytes = Buffer.from(Array.from({ length: 3001 }, (_, index) => index % 251));
    const base64 = bytes.toString("base64");
    const pieces = [base64.slice(0, 1001), base64.slice(1001, 1002), base64.slice(1002)];
    const collector = collect(REQUEST, [
      ...pieces.map((data) => delta({ audio: { data } })),
      delta({ audio: { id: "a", transcript: "Hel" } }),
      delta({ audio: { transcript: "lo" } }),
    ]);
    expect(collector.result().output).toEqual({
      audio: { data: { bytes: 3001, sha256: sha256(bytes) }, id: "a", transcript: "Hello" },
    });
  });

  it("takes in Azure's chunks without delta and without choices, and what one piece triggered stays", () => {
    const collector = collect(REQUEST, [
      chunk([], {
        prompt_filter_results: [
          { prompt_index: 0, content_filter_results: { hate: { filtered: false } } },
        ],
      }),
      delta({ content: "Once" }),
      chunk([
        {
          index: 0,
          finish_reason: null,
          content_filter_results: verdict(true),
          content_filter_offsets: {},
        },
      ]),
      chunk([{ index: 0, finish_reason: null, content_filter_results: verdict(false) }]),
      chunk(null),
      chunk([null]),
      null,
      "odd",
      delta({}, "content_filter"),
    ]);
    expect(collector.result()).toMatchObject({
      output: "Once",
      outcome: "blocked",
      blockReason: "content_filter, violence",
      detectorsTriggered: ["openai:content_filter", "azure:violence"],
      safetyChecks: ["azure:content_filter", "openai:content_filter"],
      finishReasons: ["content_filter"],
    });
  });

  it("keeps digest and length of text beyond maxContentBytes, over all of it and across surrogate pairs", () => {
    const text = `${"a".repeat(90)}😀${"b".repeat(90)}`;
    const collector = collect(
      REQUEST,
      text.split("").map((content) => delta({ content })),
      { ...OPTIONS, maxContentBytes: 50 },
    );
    expect(collector.result().output).toEqual({
      omitted: "maxContentBytes",
      bytes: Buffer.byteLength(text),
      sha256: sha256(text),
    });
  });

  it("charges nothing for what every chunk repeats", () => {
    const collector = collect(
      REQUEST,
      Array.from({ length: 40_000 }, () => delta({ role: "assistant", content: "x" })),
    );
    expect(collector.result()).toMatchObject({ output: "x".repeat(40_000) });
    expect(collector.result().alerts).toBeUndefined();
  });

  it("takes deltas of any depth", () => {
    let deep: object = { text: "x" };
    for (let depth = 0; depth < 20_000; depth += 1) deep = { deep };
    const collector = collect(REQUEST, [
      delta({ content: "a", deep }),
      delta({ content: "b", deep }),
    ]);
    expect(collector.result()).toMatchObject({ output: { content: "ab" } });
    expect(collector.result().alerts).toBeUndefined();
  });

  it("keeps a bounded number of choices and tool calls, and counts the rest", () => {
    const events = Array.from({ length: 40_000 }, (_, index) =>
      delta({ content: "x" }, null, index),
    );
    const { alerts } = collect(REQUEST, events).result();
    expect(alerts).toEqual([
      expect.stringMatching(/^ai-audit: \d+ parts of the stream were dropped: too many to keep$/),
    ]);
  });

  it("digests log probabilities as the response that is not streamed does", () => {
    const tokens = ["a", "b"].map((token) => ({
      token,
      logprob: -1,
      bytes: null,
      top_logprobs: [],
    }));
    const streamed = collect(
      REQUEST,
      tokens.map((entry) =>
        chunk([
          {
            index: 0,
            delta: { content: entry.token },
            logprobs: { content: [entry] },
            finish_reason: null,
          },
        ]),
      ),
    );
    const whole = {
      choices: [{ message: { role: "assistant", content: "ab" }, logprobs: { content: tokens } }],
    };
    expect(streamed.result().metadata).toEqual(chat.response(whole, OPTIONS).metadata);
  });

  it("is a copy: the SDK's later changes to its chunks do not reach the entry", () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2 };
    const collector = collect(REQUEST, [delta({ content: "a" }, "stop"), chunk([], { usage })]);
    usage.prompt_tokens = 99;
    expect(collector.result().inputTokens).toBe(1);
  });

  it("gives the same result however often it is asked", () => {
    const collector = collect(REQUEST, [delta({ content: "abc" })], {
      ...OPTIONS,
      maxContentBytes: 2,
    });
    expect(collector.result()).toEqual(collector.result());
  });

  it("reports an error that arrives as an event", () => {
    const collector = collect(REQUEST, [
      delta({ content: "Once" }),
      {
        error: {
          type: "server_error",
          code: "overloaded",
          message: "try with sk-abcdefghijkl later",
        },
      },
    ]);
    expect(collector.result()).toMatchObject({
      output: "Once",
      outcome: "error",
      error: { type: "server_error", code: "overloaded", message: "try with [REDACTED] later" },
    });
  });
});
