// The record of a call: outcome, safety fields, usage, content and links, whatever comes back.
import { createHash } from "node:crypto";
import { type AuditEntry, AuditLogger, MemoryStorage } from "@ai-audit/core";
import { events, json, type Reply, text } from "@ai-audit/test-support/wire-server";
import { type Anthropic, APIConnectionTimeoutError, APIUserAbortError } from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { type AuditOptions, auditOptions, AuditedAnthropic } from "../src/index.ts";
import {
  block,
  delta,
  ended,
  failure,
  hello,
  helloEvents,
  message,
  started,
  stop,
  textDelta,
  toolUse,
} from "./support/payloads.ts";
import { entriesOf, useWireServer, wireServer } from "./support/same-behaviour.ts";

useWireServer();

interface Recorded {
  readonly entries: readonly AuditEntry[];
  readonly thrown: unknown;
}

async function record(
  replies: readonly Reply[],
  use: (client: Anthropic) => Promise<unknown>,
  audit: Partial<AuditOptions> = {},
): Promise<Recorded> {
  const server = wireServer();
  server.script(...replies);
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  const client = new AuditedAnthropic({
    apiKey: "sk-ant-api03-secret",
    baseURL: server.baseURL.replace(/\/v1$/, ""),
    maxRetries: 0,
    logLevel: "off",
    audit: { logger, ...audit },
  });
  let thrown: unknown;
  try {
    await use(client);
  } catch (error) {
    thrown = error;
  }
  const entries = await entriesOf(logger);
  await logger.close();
  return { entries, thrown };
}

const whole = (body: Record<string, unknown>) => ({
  replies: [json(body)],
  use: (client: Anthropic) => client.messages.create(hello),
});

const streamed = (
  all: readonly unknown[],
  ending: "end" | "hang" = "end",
): { replies: Reply[]; use: (client: Anthropic) => Promise<unknown> } => ({
  replies: [events(all, { named: true, ending })],
  async use(client) {
    for await (const _ of await client.messages.create({ ...hello, stream: true }));
  },
});

function contentOf(value: string | null | undefined): unknown {
  return typeof value === "string" && /^[[{]/.test(value) ? (JSON.parse(value) as unknown) : value;
}

describe("the outcome of a call", () => {
  it.each([
    [
      "a refusal",
      whole(
        message([], {
          stop_reason: "refusal",
          stop_details: { type: "refusal", category: "cyber", explanation: "It asks for malware." },
        }),
      ),
      {
        outcome: "blocked",
        safetyPassed: false,
        detectorsTriggered: ["anthropic:refusal", "anthropic:cyber"],
        blockReason: "refusal, cyber",
        metadata: { blocked_at: "output" },
      },
    ],
    [
      "a refusal in a stream, after text",
      streamed([
        started(),
        block(0, { type: "text", text: "" }),
        textDelta("First, take"),
        stop(0),
        ...ended("refusal", { stop_details: { type: "refusal", category: "bio" } }),
      ]),
      {
        outcome: "blocked",
        safetyPassed: false,
        outputContent: "First, take",
        detectorsTriggered: ["anthropic:refusal", "anthropic:bio"],
      },
    ],
    [
      "an answer of a fallback, after a refusal",
      whole(
        message(
          [
            { type: "fallback", from: { model: "a" }, to: { model: "b" } },
            { type: "text", text: "Sure." },
          ],
          {
            model: "b",
            usage: {
              input_tokens: 4,
              output_tokens: 2,
              iterations: [
                { type: "message", model: "a", input_tokens: 3, output_tokens: 0 },
                { type: "fallback_message", model: "b", input_tokens: 4, output_tokens: 2 },
              ],
            },
          },
        ),
      ),
      {
        outcome: "ok",
        safetyPassed: false,
        detectorsTriggered: ["anthropic:refusal"],
        responseModel: "b",
        metadata: {
          iterations: [
            { type: "message", model: "a", input_tokens: 3, output_tokens: 0 },
            { type: "fallback_message", model: "b", input_tokens: 4, output_tokens: 2 },
          ],
        },
      },
    ],
    [
      "an output that a filter blocked",
      {
        ...whole({}),
        replies: [
          json(failure("invalid_request_error", "Output blocked by content filtering policy"), 400),
        ],
      },
      {
        outcome: "blocked",
        safetyPassed: false,
        detectorsTriggered: ["anthropic:content_filtering_policy"],
        metadata: { blocked_at: "output" },
      },
    ],
    [
      "a pause of a long turn",
      whole(message("One moment.", { stop_reason: "pause_turn" })),
      { outcome: "ok", safetyPassed: true, finishReasons: ["pause_turn"] },
    ],
    [
      "a full context window",
      whole(message("So far", { stop_reason: "model_context_window_exceeded" })),
      { outcome: "ok", safetyPassed: true },
    ],
    [
      "an unknown stop that looks like a policy's",
      whole(message("", { stop_reason: "policy_hold" })),
      {
        outcome: "ok",
        safetyPassed: false,
        detectorsTriggered: ["anthropic:suspected:policy_hold"],
      },
    ],
    [
      "an error with status 200",
      whole(failure("api_error", "Internal server error")),
      { outcome: "error", error: { type: "api_error" } },
    ],
  ] as const)("of %s", async (_, { replies, use }, expected) => {
    const { entries } = await record(replies, use);
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject(expected);
  });

  it("is timeout where the SDK gives up waiting", async () => {
    const { entries, thrown } = await record([() => undefined], (client) =>
      client.messages.create(hello, { timeout: 20 }),
    );
    expect(thrown).toBeInstanceOf(APIConnectionTimeoutError);
    expect(entries).toMatchObject([{ outcome: "timeout" }]);
  });

  it("is aborted where the caller's signal fires before the answer", async () => {
    const aborting = new AbortController();
    const { entries, thrown } = await record([() => aborting.abort()], (client) =>
      client.messages.create(hello, { signal: aborting.signal }),
    );
    expect(thrown).toBeInstanceOf(APIUserAbortError);
    expect(entries).toMatchObject([{ outcome: "aborted" }]);
  });

  it("is abandoned where the logger closes under an open stream, with the part that came", async () => {
    const server = wireServer();
    server.script(events(helloEvents.slice(0, 5), { named: true, ending: "hang" }));
    const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
    const client = new AuditedAnthropic({
      apiKey: "k",
      baseURL: server.baseURL.replace(/\/v1$/, ""),
      audit: logger,
    });
    const stream = await client.messages.create({ ...hello, stream: true });
    const iterator = stream[Symbol.asyncIterator]();
    for (let taken = 0; taken < 4; taken += 1) await iterator.next();
    await logger.close();
    expect(await Array.fromAsync(logger.entries())).toMatchObject([
      { outcome: "abandoned", outputContent: "Hello, " },
    ]);
    stream.controller.abort();
  });
});

describe("the usage of a call", () => {
  it("counts cached tokens as input, and names them", async () => {
    const usage = {
      input_tokens: 10,
      cache_creation_input_tokens: 100,
      cache_read_input_tokens: 1000,
      cache_creation: { ephemeral_5m_input_tokens: 60, ephemeral_1h_input_tokens: 40 },
      output_tokens: 5,
      server_tool_use: { web_search_requests: 2 },
      service_tier: "priority",
      inference_geo: "eu",
    };
    const { replies, use } = whole(message("Hi.", { usage }));
    const { entries } = await record(replies, use);
    expect(entries[0]).toMatchObject({
      inputTokens: 1110,
      outputTokens: 5,
      usage: {
        source: "reported",
        cachedInputTokens: 1000,
        cacheCreationInputTokens: 100,
        cacheCreationEphemeral5mInputTokens: 60,
        serverToolUseWebSearchRequests: 2,
      },
      metadata: { served: { service_tier: "priority", inference_geo: "eu" } },
    });
  });

  it("is null where the provider reports none", async () => {
    const { usage: _, ...body } = message();
    const { entries } = await record([json(body)], (client) => client.messages.create(hello));
    expect(entries[0]).toMatchObject({ inputTokens: null, outputTokens: null });
  });
});

describe("the content of a call", () => {
  it("is the system prompt, the messages and the tools; parameters are named", async () => {
    const { entries } = await record([json(message([toolUse], { stop_reason: "tool_use" }))], (c) =>
      c.messages.create({
        ...hello,
        system: "Be brief.",
        service_tier: "auto",
        thinking: { type: "enabled", budget_tokens: 1024 },
        tools: [
          {
            name: "weather",
            input_schema: { type: "object", properties: { password: { type: "string" } } },
          },
        ],
        tool_choice: { type: "auto" },
        metadata: { user_id: "u-1" },
      }),
    );
    expect(contentOf(entries[0]?.inputContent)).toEqual({
      messages: hello.messages,
      system: "Be brief.",
      tools: [
        {
          name: "weather",
          input_schema: { type: "object", properties: { password: { type: "string" } } },
        },
      ],
    });
    expect(entries[0]?.parameters).toEqual({
      max_tokens: 64,
      service_tier: "auto",
      thinking: { type: "enabled", budget_tokens: 1024 },
      tools: ["weather"],
      tool_choice: "auto",
    });
    expect(contentOf(entries[0]?.outputContent)).toEqual([toolUse]);
  });

  it("has thinking, its signature, citations and server tools of a stream", async () => {
    const citation = { type: "web_search_result_location", url: "https://a.example", title: "A" };
    const result = {
      type: "web_search_tool_result",
      tool_use_id: "srvtoolu_1",
      content: [{ type: "web_search_result", url: "https://a.example", title: "A" }],
    };
    const { replies, use } = streamed([
      started(),
      block(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, { type: "thinking_delta", thinking: "Let " }),
      delta(0, { type: "thinking_delta", thinking: "me see." }),
      delta(0, { type: "signature_delta", signature: "c2ln" }),
      stop(0),
      block(1, { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} }),
      delta(1, { type: "input_json_delta", partial_json: '{"query":"a"}' }),
      stop(1),
      block(2, result),
      stop(2),
      block(3, { type: "text", text: "", citations: [] }),
      textDelta("It is A.", 3),
      delta(3, { type: "citations_delta", citation }),
      stop(3),
      ...ended("end_turn"),
    ]);
    const { entries } = await record(replies, use);
    expect(contentOf(entries[0]?.outputContent)).toEqual([
      { type: "thinking", thinking: "Let me see.", signature: "c2ln" },
      { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "a" } },
      result,
      { type: "text", text: "It is A.", citations: [citation] },
    ]);
  });

  it("keeps the arguments of a tool call that the stream was cut in as text", async () => {
    const { replies, use } = streamed([
      started(),
      block(0, { type: "tool_use", id: "toolu_1", name: "weather", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: '{"city":"Be' }),
    ]);
    const { entries } = await record(replies, use);
    expect(entries[0]).toMatchObject({ outcome: "error", error: { type: "TruncatedStream" } });
    expect(contentOf(entries[0]?.outputContent)).toMatchObject([{ partial_json: '{"city":"Be' }]);
  });

  it("has images and documents by their digest", async () => {
    const bytes = Buffer.alloc(9000, 7);
    const data = bytes.toString("base64");
    const { entries } = await record([json(message())], (client) =>
      client.messages.create({
        ...hello,
        messages: [
          {
            role: "user",
            content: [
              { type: "image", source: { type: "base64", media_type: "image/png", data } },
              { type: "document", source: { type: "base64", media_type: "application/pdf", data } },
            ],
          },
        ],
      }),
    );
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(contentOf(entries[0]?.inputContent)).toMatchObject([
      {
        content: [
          { source: { data: { mime: "image/png", bytes: 9000, sha256 } } },
          { source: { data: { mime: "application/pdf", bytes: 9000, sha256 } } },
        ],
      },
    ]);
  });

  it("holds no key: neither the client's nor that of an MCP server", async () => {
    const { entries } = await record(
      [json(failure("authentication_error", "invalid x-api-key: sk-ant-api03-secret"), 401)],
      (client) =>
        client.beta.messages.create({
          ...hello,
          mcp_servers: [
            {
              type: "url",
              name: "crm",
              url: "https://user:pw@mcp.example/sse?key=abc",
              authorization_token: "tok-very-secret",
            },
          ],
        }),
    );
    const line = JSON.stringify(entries);
    for (const secret of ["sk-ant-api03-secret", "tok-very-secret", "user:pw", 'abc"'])
      expect(line).not.toContain(secret);
    expect(entries[0]).toMatchObject({ parameters: { mcp_servers: ["crm"] } });
  });

  it("is bounded: a long answer is its digest, and memory holds no more", async () => {
    const piece = "x".repeat(1000);
    const { replies, use } = streamed([
      started(),
      block(0, { type: "text", text: "" }),
      ...Array.from({ length: 40 }, () => textDelta(piece)),
      stop(0),
      ...ended("end_turn"),
    ]);
    const { entries } = await record(replies, use, { maxContentBytes: 10_000 });
    expect(contentOf(entries[0]?.outputContent)).toEqual({
      omitted: "maxContentBytes",
      bytes: 40_000,
      sha256: createHash("sha256").update(piece.repeat(40)).digest("hex"),
    });
  });
});

describe("calls that belong together", () => {
  it("link a tool's result to the call that asked for it", async () => {
    const { entries } = await record(
      [json(message([toolUse], { stop_reason: "tool_use" })), json(message("Sunny."))],
      async (client) => {
        const first = await client.messages.create(hello);
        await client.messages.create({
          ...hello,
          messages: [
            ...hello.messages,
            { role: "assistant", content: first.content },
            {
              role: "user",
              content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "sunny" }],
            },
          ],
        });
      },
    );
    expect(entries[1]?.run).toMatchObject({ continues: entries[0]?.id });
  });

  it("has the values of one call, of the client and of nobody else", async () => {
    const { entries } = await record(
      [json(message())],
      (client) => client.messages.create(hello, { ...auditOptions({ conversationId: "c-2" }) }),
      { conversationId: "c-1", metadata: { team: "support" } },
    );
    expect(entries).toMatchObject([{ conversationId: "c-2", metadata: { team: "support" } }]);
  });

  it("record a person's decision about a tool call of a session before it is sent", async () => {
    const { entries } = await record([json({ data: [] })], (client) =>
      client.post("/v1/sessions/sesn_1/events", {
        body: {
          events: [
            {
              type: "user.tool_confirmation",
              tool_use_id: "sevt_1",
              result: "deny",
              deny_message: "Not this account.",
            },
          ],
        },
      }),
    );
    expect(entries).toMatchObject([
      { operation: "human_review", review: { of: "sevt_1", verdict: "rejected" } },
      { operation: "agents.sessions.events.send", outcome: "ok" },
    ]);
  });
});

describe("message batches", () => {
  it("have an entry with their requests, and one with their results", async () => {
    const batch = {
      id: "msgbatch_1",
      type: "message_batch",
      processing_status: "ended",
      results_url: `${wireServer().baseURL}/messages/batches/msgbatch_1/results`,
    };
    const lines = [
      { custom_id: "a", result: { type: "succeeded", message: message("Hi.") } },
      {
        custom_id: "b",
        result: { type: "succeeded", message: message([], { stop_reason: "refusal" }) },
      },
      { custom_id: "c", result: { type: "errored", error: failure("invalid_request_error") } },
    ];
    const results = lines.map((line) => JSON.stringify(line)).join("\n");
    const read: unknown[] = [];
    const { entries } = await record(
      [json(batch), json(batch), text(`${results}\n`, "application/x-jsonl")],
      async (client) => {
        await client.messages.batches.create({
          requests: [{ custom_id: "a", params: hello }],
        });
        for await (const line of await client.messages.batches.results("msgbatch_1"))
          read.push(line);
      },
    );
    expect(read).toEqual(lines);
    expect(entries).toMatchObject([
      { operation: "batches.create", model: "claude-opus-5", outcome: "ok" },
      { operation: "batches.retrieve", outcome: "ok" },
      {
        operation: "batches.results",
        outcome: "ok",
        safetyPassed: false,
        detectorsTriggered: ["anthropic:refusal"],
        metadata: { results: { succeeded: 2, errored: 1 } },
      },
    ]);
    expect(contentOf(entries[0]?.inputContent)).toEqual([
      { custom_id: "a", model: "claude-opus-5", input: "Hello!" },
    ]);
    expect(contentOf(entries[2]?.outputContent)).toEqual(lines);
  });
});

describe("count_tokens", () => {
  it("is an entry without usage", async () => {
    const { entries } = await record([json({ input_tokens: 9 })], ({ messages }) =>
      messages.countTokens({ model: hello.model, messages: hello.messages }),
    );
    expect(entries).toMatchObject([
      { operation: "count_tokens", outcome: "ok", inputContent: "Hello!", inputTokens: null },
    ]);
  });
});
