// Odd payloads of public reports, as they come over the wire, through the SDK's own providers.
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createMistral } from "@ai-sdk/mistral";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { type AuditEntry, AuditLogger, MemoryStorage } from "@ai-audit/core";
import { events, json, type Reply, text, WireServer } from "@ai-audit/test-support/wire-server";
import { generateText, streamText, wrapLanguageModel } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditAiSdk } from "../src/index.ts";
import { deltas, entriesOf, type Part, streaming } from "./support/models.ts";

const key = { apiKey: "k" };
const MODELS = {
  chat: (baseURL: string) => createOpenAI({ ...key, baseURL }).chat("gpt-5"),
  responses: (baseURL: string) => createOpenAI({ ...key, baseURL })("gpt-5"),
  compatible: (baseURL: string) =>
    createOpenAICompatible({ ...key, name: "house", baseURL, includeUsage: true })("house-1"),
  anthropic: (baseURL: string) => createAnthropic({ ...key, baseURL })("claude-sonnet-4-5"),
  google: (baseURL: string) => createGoogleGenerativeAI({ ...key, baseURL })("gemini-2.5-flash"),
  bedrock: (baseURL: string) =>
    createAmazonBedrock({ ...key, region: "eu-west-1", baseURL })("nova"),
  mistral: (baseURL: string) => createMistral({ ...key, baseURL })("mistral-small"),
};

interface Case {
  /** The report, with its repository and number. */
  readonly report: string;
  readonly model?: keyof typeof MODELS;
  readonly body?: unknown;
  readonly page?: string;
  readonly status?: number;
  readonly events?: readonly unknown[];
  /** Parts of a community provider, in place of a wire. */
  readonly parts?: readonly Part[];
  readonly entry: object;
}

const chunk = (delta: unknown, finish_reason: string | null = null, more: object = {}) => ({
  id: "c-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "served",
  choices: [{ index: 0, delta, finish_reason }],
  ...more,
});
const said = chunk({ role: "assistant", content: "Hello" });
const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
const completion = (message: object, finish_reason: string | null, more: object = {}) => ({
  id: "chat-1",
  object: "chat.completion",
  created: 1,
  model: "served",
  choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }],
  usage,
  ...more,
});
const toolDelta = (of: object) => chunk({ tool_calls: [{ index: 0, ...of }] });
const messageStart = {
  type: "message_start",
  message: {
    id: "msg-1",
    type: "message",
    role: "assistant",
    model: "served",
    content: [],
    stop_reason: null,
    usage: { input_tokens: 3, output_tokens: 1 },
  },
};
const block = [
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } },
];
const untyped = (parts: readonly unknown[]): Part[] => parts as Part[];

const CASES: readonly Case[] = [
  {
    report: "an error event and response.failed in a stream (vercel/ai#6534)",
    model: "responses",
    events: [
      { type: "response.created", response: { id: "resp-1", created_at: 1, model: "served" } },
      {
        type: "error",
        sequence_number: 2,
        error: { type: "tokens", code: "rate_limit_exceeded", message: "Too large.", param: null },
      },
      {
        type: "response.failed",
        sequence_number: 3,
        response: {
          id: "resp-1",
          status: "failed",
          error: { code: "rate_limit_exceeded", message: "Too large." },
          usage: null,
        },
      },
    ],
    entry: { outcome: "error", error: { code: "rate_limit_exceeded" } },
  },
  {
    report: "a prompt that Azure's filter stops (vercel/ai#4220)",
    model: "chat",
    status: 400,
    body: {
      error: {
        message: "The response was filtered.",
        type: null,
        param: "prompt",
        code: "content_filter",
        status: 400,
        innererror: {
          code: "ResponsibleAIPolicyViolation",
          content_filter_result: {
            hate: { filtered: false, severity: "safe" },
            violence: { filtered: true, severity: "high" },
          },
        },
      },
    },
    entry: {
      outcome: "blocked",
      safetyPassed: false,
      detectorsTriggered: expect.arrayContaining(["azure:violence"]),
      metadata: { blocked_at: "input" },
    },
  },
  {
    report: "a first chunk without choices, with the prompt's filter results (pydantic-ai#797)",
    model: "chat",
    events: [
      { id: "", object: "", created: 0, model: "", choices: [], prompt_filter_results: [] },
      said,
      chunk({}, "stop"),
    ],
    entry: { outcome: "ok", outputContent: "Hello" },
  },
  {
    report: "a tool call that the last chunk repeats without arguments (vercel/ai#3953)",
    model: "compatible",
    events: [
      toolDelta({ id: "t-1", type: "function", function: { name: "search", arguments: "" } }),
      toolDelta({ function: { arguments: '{"q":"ai"}' } }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: "" } }] }, "tool_calls", { usage }),
    ],
    entry: { outcome: "ok", outputContent: expect.stringContaining("t-1"), inputTokens: 9 },
  },
  {
    report: "the arguments of two calls under one index (lens#49)",
    model: "compatible",
    events: [
      toolDelta({ id: "t-1", type: "function", function: { name: "glob", arguments: "" } }),
      toolDelta({ function: { name: "", arguments: '{"path":""}' } }),
      toolDelta({ function: { name: "", arguments: '{"path":"wiki"}' } }),
      chunk({}, "tool_calls"),
    ],
    entry: { outcome: "ok", outputContent: expect.stringContaining("t-1") },
  },
  {
    report: "null in place of a chunk (pi#2466)",
    model: "compatible",
    events: [said, null, chunk({}, "stop")],
    entry: { outcome: "error", outputContent: "Hello" },
  },
  {
    report: "chunks without finish_reason and with figures of zero (LocalAI#1194)",
    model: "compatible",
    events: [
      { model: "m", choices: [{ delta: { content: "1" } }], usage: { prompt_tokens: 0 } },
      { model: "m", choices: [{ delta: { content: " 2" } }], usage: { prompt_tokens: 0 } },
      { model: "m", choices: [{ delta: {}, finish_reason: "stop" }] },
    ],
    entry: { outcome: "ok", outputContent: "1 2" },
  },
  {
    report: "a stream whose finish_reason stays null (pi#4558)",
    model: "compatible",
    events: [said, chunk({ content: "!" })],
    entry: { outcome: "error", outputContent: "Hello!", finishReasons: ["error"] },
  },
  {
    report: "a stream with nothing in it (vercel/ai#1517)",
    model: "compatible",
    events: [],
    entry: { outcome: "error", outputContent: "" },
  },
  {
    report: "an error chunk in the middle of a stream (vercel/ai#1835)",
    model: "compatible",
    events: [said, { error: { message: "Overloaded.", type: "server_error", code: 503 } }],
    entry: {
      outcome: "error",
      error: { type: "server_error", code: "503" },
      outputContent: "Hello",
    },
  },
  {
    report: "an overloaded provider in the middle of a stream (vercel/ai#2457)",
    model: "anthropic",
    events: [
      messageStart,
      ...block,
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    ],
    entry: {
      outcome: "error",
      error: { type: "overloaded_error", status: 529 },
      inputTokens: 3,
      outputContent: "Hello",
    },
  },
  {
    report: "a stream that is cut before its stop (better-ccflare#307)",
    model: "anthropic",
    events: [messageStart, ...block],
    entry: {
      outcome: "error",
      error: { type: "TruncatedStream" },
      responseId: "msg-1",
      inputTokens: 3,
      outputContent: "Hello",
    },
  },
  {
    report: "one model refuses, and its fallback answers",
    model: "anthropic",
    events: [
      messageStart,
      {
        type: "content_block_start",
        index: 0,
        content_block: { type: "fallback", from: { model: "a" }, to: { model: "b" } },
      },
      { type: "content_block_stop", index: 0 },
      { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Hello" } },
      { type: "content_block_stop", index: 1 },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 4 } },
      { type: "message_stop" },
    ],
    entry: {
      outcome: "ok",
      safetyPassed: false,
      detectorsTriggered: ["anthropic:refusal"],
      outputTokens: 4,
    },
  },
  {
    report: "a filter that stops a stream with an error event (vercel/ai#2463)",
    model: "anthropic",
    events: [
      messageStart,
      ...block,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "Output blocked by content filtering policy",
        },
      },
    ],
    entry: {
      outcome: "blocked",
      safetyPassed: false,
      detectorsTriggered: ["anthropic:content_filtering_policy"],
      outputContent: "Hello",
    },
  },
  {
    report: "a prompt that is blocked with HTTP 200 and no candidate",
    model: "google",
    body: {
      promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
      usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 },
      modelVersion: "served",
    },
    entry: { outcome: "blocked", safetyPassed: false },
  },
  {
    report: "a call that the model wrote badly: MALFORMED_FUNCTION_CALL",
    model: "google",
    body: {
      candidates: [{ content: {}, finishReason: "MALFORMED_FUNCTION_CALL" }],
      usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 },
    },
    entry: { outcome: "error", finishReasons: ["MALFORMED_FUNCTION_CALL"] },
  },
  {
    report: "a page of a proxy with status 520 (claude-code#3197)",
    model: "chat",
    status: 520,
    page: "<!DOCTYPE html><title>520: Web server is returning an unknown error</title>",
    entry: { outcome: "error", error: { status: 520 } },
  },
  {
    report: "a page of a proxy with status 200",
    model: "chat",
    page: "<html>Log in</html>",
    entry: { outcome: "error" },
  },
  {
    report: "an answer without choices",
    model: "compatible",
    body: { id: "x", created: 1, model: "m", choices: [], usage },
    entry: { outcome: "error" },
  },
  {
    report: "an error with HTTP 200",
    model: "compatible",
    body: { error: { message: "No capacity.", code: "no_capacity" } },
    entry: { outcome: "error" },
  },
  {
    report: "figures that are null (vercel/ai#2491)",
    model: "compatible",
    body: completion({ content: "Hi" }, "stop", {
      usage: { prompt_tokens: null, completion_tokens: null },
    }),
    entry: { outcome: "ok", inputTokens: null, outputTokens: null, outputContent: "Hi" },
  },
  {
    report: "an empty finish reason, and no usage",
    model: "compatible",
    body: completion({ content: "Hi" }, "", { usage: undefined }),
    entry: { outcome: "ok", inputTokens: null, outputContent: "Hi" },
  },
  {
    report: "a finish reason that a host doubled",
    model: "compatible",
    body: completion({ content: "" }, "content_filtercontent_filter"),
    entry: { outcome: "blocked", safetyPassed: false },
  },
  {
    report: "a refusal in the words of the model behind a host",
    model: "compatible",
    body: completion({ content: "" }, "PROHIBITED_CONTENT"),
    entry: { outcome: "blocked", safetyPassed: false },
  },
  {
    report: "content that is a list with thinking (Mistral)",
    model: "mistral",
    body: completion(
      {
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
          { type: "text", text: "Hi" },
        ],
      },
      "stop",
    ),
    entry: { outcome: "ok", outputContent: expect.stringContaining("Hm.") },
  },
  {
    report: "a guardrail's stop with a text in place of an answer",
    model: "bedrock",
    body: {
      output: { message: { role: "assistant", content: [{ text: "I cannot." }] } },
      stopReason: "guardrail_intervened",
      usage: { inputTokens: 9, outputTokens: 0, totalTokens: 9 },
      trace: { guardrail: { inputAssessment: {} } },
    },
    entry: { outcome: "blocked", safetyPassed: false, outputContent: "I cannot." },
  },
  {
    report: "a delta of reasoning that never began (vercel/ai#13110)",
    parts: untyped([
      { type: "reasoning-delta", id: "r", delta: "Hm." },
      { type: "reasoning-end", id: "q" },
      ...deltas("Hello"),
    ]),
    entry: { outcome: "ok", outputContent: expect.stringContaining("Hm.") },
  },
  {
    report: "reasoning without a text (ai-elements#120)",
    parts: untyped([
      { type: "reasoning-start", id: "r" },
      { type: "reasoning-end", id: "r" },
      ...deltas("Hello"),
    ]),
    entry: { outcome: "ok", outputContent: expect.stringContaining("Hello") },
  },
  {
    report: "parts of unknown types, without a type, and null",
    parts: untyped([null, { type: 7 }, { kind: "x" }, { type: "news", n: 1 }, ...deltas("Hello")]),
    entry: { outcome: "ok", outputContent: expect.stringContaining("news") },
  },
  {
    report: "finish twice, and text after it",
    parts: [...deltas("Hello"), ...deltas(" again")],
    entry: { outcome: "ok", outputContent: "Hello again" },
  },
  {
    report: "several error parts, and a finish",
    parts: untyped([
      { type: "error", error: new Error("one") },
      { type: "error", error: "two" },
      ...deltas("Hello"),
    ]),
    entry: { outcome: "error", alerts: [expect.stringContaining("error parts")] },
  },
];

let server: WireServer;
beforeAll(async () => {
  server = await WireServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

describe("the corpus of odd payloads", () => {
  it.each(CASES)("leaves its entry: $report", async (one) => {
    expect(await entryOf(one)).toMatchObject(one.entry);
  });
});

async function entryOf(one: Case): Promise<AuditEntry> {
  server.script(replyOf(one));
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  const audit = auditAiSdk({ logger });
  const plain = one.parts ? streaming([...one.parts]) : MODELS[one.model ?? "chat"](server.baseURL);
  const model = wrapLanguageModel({
    model: plain,
    middleware: audit.languageModel,
  });
  try {
    if (one.parts) {
      const { stream } = await model.doStream({ prompt: [] });
      for await (const _ of stream);
    } else if (one.events) {
      const { stream } = streamText({
        model,
        prompt: "Hi",
        maxRetries: 0,
        onError: () => undefined,
      });
      for await (const _ of stream);
    } else await generateText({ model, prompt: "Hi", maxRetries: 0 });
  } catch {
    // errors are cases too
  }
  const [entry, ...others] = await entriesOf(logger);
  if (!entry || others.length > 0) throw new Error("expected one entry");
  expect(audit.stats).toEqual({ open: 0, written: 1, lost: 0 });
  await logger.close();
  return entry;
}

function replyOf({ events: all, page, body, status = 200 }: Case): Reply {
  if (all) return events(all, { named: true, ending: "done" });
  return page === undefined ? json(body, status) : text(page, "text/html", status);
}
