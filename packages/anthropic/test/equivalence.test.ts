// A client behaves the same with and without the audit, on each supported version of the SDK.
import { canonicalJson } from "@ai-audit/core/format";
import { events, hangUp, json, text } from "@ai-audit/test-support/wire-server";
import { describe, expect, it } from "vitest";
import { failure, hello, helloEvents, message, toolEvents, toolUse } from "./support/payloads.ts";
import { expectSameBehaviour, loadSdk, useWireServer, VERSIONS } from "./support/same-behaviour.ts";

const stream = { ...hello, stream: true as const };

describe.each(VERSIONS)("a client of %s, audited", async (version) => {
  const sdk = await loadSdk(version);
  useWireServer();

  it("sends the same bytes and returns the same message", async () => {
    const { entries, outcome } = await expectSameBehaviour(sdk, [json(message())], ({ client }) =>
      client.messages.create(hello),
    );
    expect(outcome.wire).toHaveLength(1);
    expect(entries).toMatchObject([
      {
        provider: null,
        server: { address: "127.0.0.1" },
        model: "claude-opus-5",
        operation: "chat",
        outcome: "ok",
        inputContent: "Hello!",
        outputContent: "Hi.",
        inputTokens: 3,
        outputTokens: 2,
        usage: { source: "reported" },
        responseId: "msg_1",
        responseModel: "claude-opus-5-2026",
        requestId: "req_1",
        finishReasons: ["end_turn"],
        attempts: 1,
        metadata: { served: { service_tier: "standard" } },
      },
    ]);
  });

  it("keeps the request id on its messages, invisibly", async () => {
    const { outcome } = await expectSameBehaviour(
      sdk,
      [json(message())],
      async ({ client, note }) => {
        const made = await client.messages.create(hello);
        note(Object.keys(made), Object.getOwnPropertyDescriptor(made, "_request_id"));
      },
    );
    expect(outcome.notes).toMatchObject([
      [Object.keys(message()), { value: "req_1", enumerable: false }],
    ]);
  });

  it("gives data and response of withResponse()", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json(message())],
      async ({ client, note }) => {
        const { data, response, request_id } = await client.messages.create(hello).withResponse();
        note(data.id, response.status, response.bodyUsed, request_id);
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: "Hi." }]);
  });

  it("gives the response of asResponse() unread, and records what the caller reads", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json(message())],
      async ({ client, note }) => {
        const response = await client.messages.create(hello).asResponse();
        note(response.bodyUsed);
        return (await response.json()) as unknown;
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: "Hi.", inputTokens: 3 }]);
  });

  it.each([
    ["400", 400, failure("invalid_request_error"), "BadRequestError", "invalid_request_error"],
    ["401", 401, failure("authentication_error"), "AuthenticationError", "authentication_error"],
    ["413", 413, failure("request_too_large"), undefined, "request_too_large"],
    ["429", 429, failure("rate_limit_error"), "RateLimitError", "rate_limit_error"],
    ["500", 500, failure("api_error"), "InternalServerError", "api_error"],
    ["529", 529, failure("overloaded_error"), undefined, "overloaded_error"],
  ])("throws the same error for %s", async (_, status, body, type, code) => {
    const { entries } = await expectSameBehaviour(sdk, [json(body, status)], ({ client }) =>
      client.messages.create(hello),
    );
    expect(entries).toMatchObject([
      {
        outcome: "error",
        requestId: "req_1",
        error: { ...(type !== undefined && { type }), code, status },
      },
    ]);
  });

  it("throws the same error for a broken connection", async () => {
    const { entries } = await expectSameBehaviour(sdk, [hangUp], ({ client }) =>
      client.messages.create(hello),
    );
    expect(entries).toMatchObject([{ outcome: "error", error: { type: "APIConnectionError" } }]);
  });

  it("throws the same error for a body that is not JSON", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [text("<html>", "application/json")],
      ({ client }) => client.messages.create(hello),
    );
    expect(entries).toMatchObject([{ outcome: "error", error: { type: "SyntaxError" } }]);
  });

  it("counts retries as attempts of one call", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [json(failure("overloaded_error"), 529, { "retry-after-ms": "1" }), json(message())],
      ({ anthropic }) => anthropic({ maxRetries: 2 }).messages.create(hello),
    );
    expect(outcome.wire).toHaveLength(2);
    expect(entries).toMatchObject([{ outcome: "ok", attempts: 2 }]);
  });

  it("yields the same events of a stream", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [events(helloEvents, { named: true, ending: "end" })],
      async ({ client, note }) => {
        for await (const event of await client.messages.create(stream)) note(event);
      },
    );
    expect(outcome.notes).toHaveLength(helloEvents.length - 1); // but the ping
    expect(entries).toMatchObject([
      {
        outcome: "ok",
        streamed: true,
        outputContent: "Hello, world",
        inputTokens: 3,
        outputTokens: 7,
        finishReasons: ["end_turn"],
      },
    ]);
  });

  it("accumulates the same message with messages.stream()", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [events(toolEvents, { named: true, ending: "end" })],
      async ({ client, note }) => {
        const helper = client.messages.stream(hello);
        helper.on("text", (piece) => note("text", piece));
        helper.on("inputJson", (piece) => note("json", piece));
        helper.on("contentBlock", (content) => note("block", content));
        helper.on("end", () => note("end"));
        return helper.finalMessage();
      },
    );
    expect(outcome.value).toMatchObject({ content: [{ type: "text" }, toolUse] });
    expect(entries).toMatchObject([
      {
        outcome: "ok",
        finishReasons: ["tool_use"],
        outputContent: canonicalJson([{ type: "text", text: "Let me look." }, toolUse]),
      },
    ]);
  });

  it("ends at the reader's break, with the part that was read", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(helloEvents, { named: true, ending: "hang" })],
      async ({ client, note }) => {
        for await (const event of await client.messages.create(stream)) {
          note(event.type);
          if (event.type === "content_block_delta") break;
        }
      },
    );
    expect(entries).toMatchObject([{ outcome: "aborted", outputContent: "Hello", streamed: true }]);
  });

  it("ends at the caller's abort as it does without the audit", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(helloEvents.slice(0, 4), { named: true, ending: "hang" })],
      async ({ client, note }) => {
        const aborting = new AbortController();
        const running = await client.messages.create(stream, { signal: aborting.signal });
        for await (const event of running) {
          note(event.type);
          if (event.type === "content_block_delta") aborting.abort();
        }
      },
    );
    expect(entries).toMatchObject([{ outcome: "aborted", outputContent: "Hello" }]);
  });

  it("throws the same error for an error among the events", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [
        events([...helloEvents.slice(0, 5), failure("overloaded_error", "Overloaded")], {
          named: true,
          ending: "end",
        }),
      ],
      async ({ client, note }) => {
        for await (const event of await client.messages.create(stream)) note(event.type);
      },
    );
    expect(entries).toMatchObject([
      { outcome: "error", outputContent: "Hello, ", error: { code: "overloaded_error" } },
    ]);
  });

  it("reads a stream that was cut as the plain client does, and says so", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(helloEvents.slice(0, 6), { named: true, ending: "end" })],
      async ({ client, note }) => {
        for await (const event of await client.messages.create(stream)) note(event.type);
      },
    );
    expect(entries).toMatchObject([
      {
        outcome: "error",
        outputContent: "Hello, world",
        error: { type: "TruncatedStream" },
      },
    ]);
  });

  it("carries the audit into clones by withOptions()", async () => {
    const { entries } = await expectSameBehaviour(sdk, [json(message())], ({ client }) =>
      client.withOptions({ timeout: 5000 }).messages.create(hello),
    );
    expect(entries).toHaveLength(1);
  });

  it("leaves lists and downloads without entry", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json({ data: [], has_more: false, first_id: null, last_id: null })],
      async ({ client }) => (await client.models.list()).data,
    );
    expect(entries).toEqual([]);
  });
});
