// Odd payloads of public reports, as they come over the wire, through messages.create() of the
// newest SDK.
import { type AuditEntry, AuditLogger, type JsonValue, MemoryStorage } from "@ai-audit/core";
import { events, json, type Reply, text } from "@ai-audit/test-support/wire-server";
import { describe, expect, it } from "vitest";
import { AuditedAnthropic } from "../src/index.ts";
import {
  block,
  delta,
  ended,
  hello,
  helloEvents,
  message,
  started,
  stop,
  textDelta,
} from "./support/payloads.ts";
import { useWireServer, wireServer } from "./support/same-behaviour.ts";

useWireServer();

interface Case {
  /** The report, with its repository and number. */
  readonly report: string;
  readonly body?: unknown;
  readonly status?: number;
  readonly page?: string;
  readonly events?: readonly unknown[];
  readonly entry: object;
  readonly output: JsonValue;
}

const overloaded = {
  type: "error",
  error: { details: null, type: "overloaded_error", message: "Overloaded" },
};
const filtered = {
  type: "error",
  error: {
    details: null,
    type: "invalid_request_error",
    message: "Output blocked by content filtering policy",
  },
};

const CASES: readonly Case[] = [
  {
    report: "an overloaded provider in the middle of a stream (anthropic-sdk-go#200)",
    events: [...helloEvents.slice(0, 4), overloaded],
    entry: { outcome: "error", error: { code: "overloaded_error" }, finishReasons: [] },
    output: "Hello",
  },
  {
    report: "a filter that stops a stream with an error event (vercel/ai#2463)",
    events: [...helloEvents.slice(0, 4), filtered],
    entry: {
      outcome: "blocked",
      safetyPassed: false,
      detectorsTriggered: ["anthropic:content_filtering_policy"],
      metadata: { blocked_at: "output" },
    },
    output: "Hello",
  },
  {
    report: "an error event before message_start (anthropic-sdk-typescript#1021)",
    events: [overloaded],
    entry: { outcome: "error", error: { code: "overloaded_error" } },
    output: "",
  },
  {
    report: "an event of the platform among the others (vercel/ai#11309)",
    events: [
      ...helloEvents.slice(0, -1),
      { type: "vertex_event", usage: { input_tokens: 9, output_tokens: 1 } },
      { type: "message_stop" },
    ],
    entry: { outcome: "ok", inputTokens: 3, outputTokens: 7 },
    output: "Hello, world",
  },
  {
    report: "a message_delta without usage (pi#6567)",
    events: [
      ...helloEvents.slice(0, 7),
      { type: "message_delta", delta: { stop_reason: "end_turn" } },
      { type: "message_stop" },
    ],
    entry: { outcome: "ok", inputTokens: 3, outputTokens: 2, finishReasons: ["end_turn"] },
    output: "Hello, world",
  },
  {
    report: "null figures in message_delta (pi#1045)",
    events: [
      ...helloEvents.slice(0, 7),
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn" },
        usage: { input_tokens: null, cache_read_input_tokens: null, output_tokens: 12 },
      },
      { type: "message_stop" },
    ],
    entry: { outcome: "ok", inputTokens: 3, outputTokens: 12 },
    output: "Hello, world",
  },
  {
    report: "usage within the delta (AnthropicSwiftSDK#7)",
    events: [
      ...helloEvents.slice(0, 7),
      { type: "message_delta", delta: { stop_reason: "end_turn", usage: { output_tokens: 15 } } },
      { type: "message_stop" },
    ],
    entry: { outcome: "ok", outputTokens: 15 },
    output: "Hello, world",
  },
  {
    report: "all figures at the end, and zeros at the beginning (cline#4346)",
    events: [
      started({ usage: { input_tokens: 0, output_tokens: 0 } }),
      ...helloEvents.slice(1, 7),
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn" },
        usage: { input_tokens: 40, cache_read_input_tokens: 60, output_tokens: 5 },
      },
      { type: "message_stop" },
    ],
    entry: { outcome: "ok", inputTokens: 100, outputTokens: 5, usage: { cachedInputTokens: 60 } },
    output: "Hello, world",
  },
  {
    report: "the stop reason of a tool, and no block at all (pi#9681)",
    events: [started(), ...ended("tool_use")],
    entry: { outcome: "ok", finishReasons: ["tool_use"] },
    output: "",
  },
  {
    report: "the stop reason of a tool, and only text (claude-code#40240)",
    body: message("Let me look.", { stop_reason: "tool_use" }),
    entry: { outcome: "ok", finishReasons: ["tool_use"] },
    output: "Let me look.",
  },
  {
    report: "an empty answer after a tool's result (claude-code#33757)",
    body: message([]),
    entry: { outcome: "ok", finishReasons: ["end_turn"] },
    output: "",
  },
  {
    report: "message_start twice, with the same id (NemoClaw#6297)",
    events: [started(), ...helloEvents],
    entry: { outcome: "ok", responseId: "msg_1", inputTokens: 3 },
    output: "Hello, world",
  },
  {
    report: "blocks before message_start (CLIProxyAPI#530)",
    events: [...helloEvents.slice(1, 6), started(), ...helloEvents.slice(6)],
    entry: { outcome: "ok", responseId: "msg_1" },
    output: "Hello, world",
  },
  {
    report: "a delta of a block that never began (posthog#72287)",
    events: [
      started(),
      delta(0, { type: "thinking_delta", thinking: "Hm." }),
      textDelta("Yes.", 1),
      ...ended("end_turn"),
    ],
    entry: { outcome: "ok" },
    output: [
      { type: "thinking", thinking: "Hm." },
      { type: "text", text: "Yes." },
    ],
  },
  {
    report: "indexes out of order (anthropic-sdk-python#1690)",
    events: [
      started(),
      block(3, { type: "text", text: "" }),
      block(1, { type: "text", text: "" }),
      textDelta("second", 3),
      textDelta("first", 1),
      stop(1),
      stop(3),
      ...ended("end_turn"),
    ],
    entry: { outcome: "ok" },
    output: [
      { type: "text", text: "first" },
      { type: "text", text: "second" },
    ],
  },
  {
    report: "a message_start without content (cc-switch-cli#320)",
    events: [
      { type: "message_start", message: { id: "msg_2", model: "m", role: "assistant" } },
      ...helloEvents.slice(1),
    ],
    entry: { outcome: "ok", responseId: "msg_2", responseModel: "m", inputTokens: null },
    output: "Hello, world",
  },
  {
    report: "a whole answer without message_stop (better-ccflare#307)",
    events: helloEvents.slice(0, -1),
    entry: {
      outcome: "error",
      error: { type: "TruncatedStream" },
      finishReasons: ["end_turn"],
      outputTokens: 7,
    },
    output: "Hello, world",
  },
  {
    report: "a page of a proxy (claude-code#3197)",
    status: 520,
    page: "<!DOCTYPE html><title>520: Web server is returning an unknown error</title>",
    entry: { outcome: "error", error: { type: "InternalServerError", status: 520 } },
    output: "",
  },
  {
    report: "an error without a body (claude-code#12208)",
    status: 520,
    page: "",
    entry: { outcome: "error", error: { status: 520 } },
    output: "",
  },
  {
    report: "an error in the words of another provider (claude-code#12208)",
    status: 404,
    body: { error: { message: "Invalid URL", type: "invalid_request_error", param: "", code: "" } },
    entry: { outcome: "error", error: { type: "NotFoundError", code: "invalid_request_error" } },
    output: "",
  },
  {
    report: "an answer of another provider's shape",
    body: { id: "x", choices: [{ message: { content: "Hi" }, finish_reason: "stop" }] },
    entry: {
      outcome: "ok",
      alerts: [expect.stringContaining("no list of content")],
    },
    output: { id: "x", choices: [{ message: { content: "Hi" }, finish_reason: "stop" }] },
  },
  {
    report: "a tool's arguments as a string, and figures as strings",
    body: message([{ type: "tool_use", id: "t", name: "n", input: '{"a":1}' }], {
      stop_reason: "tool_use",
      usage: { input_tokens: "3", output_tokens: -1 },
    }),
    entry: { outcome: "ok", inputTokens: null, outputTokens: null },
    output: [{ type: "tool_use", id: "t", name: "n", input: '{"a":1}' }],
  },
  {
    report: "null where everything should be",
    body: message([null, { type: null }], {
      stop_reason: null,
      usage: null,
      model: null,
      id: null,
    }),
    entry: { outcome: "ok", inputTokens: null },
    output: [null, { type: null }],
  },
];

describe("the corpus of odd payloads", () => {
  it.each(CASES)("leaves its entry: $report", async (one) => {
    const entry = await entryOf(one);
    expect(entry).toMatchObject(one.entry);
    expect(entry.output).toEqual(one.output);
  });
});

async function entryOf(one: Case): Promise<AuditEntry & { readonly output: unknown }> {
  const server = wireServer();
  server.script(replyOf(one));
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  const client = new AuditedAnthropic({
    apiKey: "k",
    baseURL: server.baseURL.replace(/\/v1$/, ""),
    maxRetries: 0,
    logLevel: "off",
    audit: logger,
  });
  try {
    const stream = one.events !== undefined;
    const answer = await client.messages.create({ ...hello, stream });
    if (Symbol.asyncIterator in answer) for await (const _ of answer);
  } catch {
    // errors are cases too
  }
  const [entry, ...others] = await Array.fromAsync(logger.entries());
  if (!entry || others.length > 0) throw new Error("expected one entry");
  const { output } = logger.content(entry);
  await logger.close();
  return { ...entry, output };
}

function replyOf({ events: all, page, body, status = 200 }: Case): Reply {
  if (all) return events(all, { named: true, ending: "end" });
  return page === undefined ? json(body, status) : text(page, "text/html", status);
}
