import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { collect, OPTIONS, post, surfaceFor } from "./wire.ts";

const REQUEST = post("/responses", { model: "gpt-5", input: "Hello!" });
const responses = surfaceFor(REQUEST);
const inputOf = (body: unknown): unknown =>
  responses.request(post("/responses", body), OPTIONS).input;

const text = (value: string, more: object = {}): object => ({
  type: "output_text",
  text: value,
  annotations: [],
  ...more,
});
const message = (content: readonly object[], more: object = {}): object => ({
  id: "msg_1",
  type: "message",
  status: "completed",
  role: "assistant",
  content,
  ...more,
});
const response = (more: object = {}): object => ({
  id: "resp_1",
  object: "response",
  status: "completed",
  model: "gpt-5-2026-08-01",
  error: null,
  incomplete_details: null,
  instructions: "Be brief.",
  output: [message([text("Hi there")])],
  usage: {
    input_tokens: 30,
    input_tokens_details: { cached_tokens: 10 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 15 },
    total_tokens: 50,
  },
  ...more,
});

describe("a request of the Responses API", () => {
  it.each([
    ["a text", "Hello!", "Hello!"],
    ["a single user message with a text", [{ role: "user", content: "Hello!" }], "Hello!"],
    [
      "an item of another kind",
      [{ type: "item_reference", id: "x" }],
      [{ type: "item_reference", id: "x" }],
    ],
    ["several items", ["a", "b"], ["a", "b"]],
    ["nothing", undefined, ""],
  ])("is its input as text where it is one: %s", (_, input, expected) => {
    expect(inputOf({ model: "m", input })).toEqual(expected);
  });

  it("names what the model sees besides the input", () => {
    const format = { type: "json_schema", name: "s", schema: {} };
    const tools = [
      {
        type: "function",
        name: "f",
        parameters: { properties: { authorization: { type: "string" } } },
      },
    ];
    const body = {
      input: "Hi",
      instructions: "Be brief.",
      tools,
      prompt: { id: "pmpt_1" },
      text: { format },
    };
    expect(inputOf(body)).toEqual(body);
  });

  it("holds no credentials of tools", () => {
    const tools = [
      {
        type: "mcp",
        server_label: "crm",
        server_url: "https://crm.example",
        authorization: "token-1",
        headers: { "X-Key": "token-2" },
      },
      {
        type: "shell",
        environment: {
          network_policy: {
            domain_secrets: [{ domain: "a.example", name: "K", value: "token-3" }],
          },
        },
      },
    ];
    const fields = responses.request(post("/responses", { input: "Hi", tools }), OPTIONS);
    expect(JSON.stringify(fields)).not.toContain("token-");
    expect(fields.parameters).toEqual({ tools: ["crm", "shell"] });
    expect(fields.input).toMatchObject({
      tools: [{ server_url: "https://crm.example", headers: { "X-Key": "[REDACTED]" } }, {}],
    });
  });

  it("lists its own parameters", () => {
    const { parameters } = responses.request(
      post("/responses", {
        input: "",
        background: true,
        previous_response_id: "resp_0",
        conversation: { id: "conv_1" },
        reasoning: { effort: "high" },
        text: { format: { type: "text" }, verbosity: "low" },
        max_output_tokens: 100,
      }),
      OPTIONS,
    );
    expect(parameters).toEqual({
      background: true,
      previous_response_id: "resp_0",
      conversation: "conv_1",
      reasoning: { effort: "high" },
      response_format: "text",
      text_verbosity: "low",
      max_output_tokens: 100,
    });
  });
});

describe("a response object", () => {
  it("is its text, with usage, status, id and model served", () => {
    expect(responses.response(response(), OPTIONS)).toEqual({
      output: "Hi there",
      responseId: "resp_1",
      responseModel: "gpt-5-2026-08-01",
      inputTokens: 30,
      outputTokens: 20,
      usage: { cachedInputTokens: 10, reasoningOutputTokens: 15, source: "reported" },
      finishReasons: ["completed"],
    });
  });

  it("is the list of items when there is more than one text", () => {
    const output = [
      { id: "rs_1", type: "reasoning", summary: [{ type: "summary_text", text: "thinking" }] },
      { id: "fc_1", type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
    ];
    expect(responses.response(response({ output }), OPTIONS).output).toEqual(output);
  });

  it("holds a digest of a generated image", () => {
    const bytes = Buffer.alloc(5000, 3);
    const output = [
      {
        id: "ig_1",
        type: "image_generation_call",
        status: "completed",
        output_format: "webp",
        result: bytes.toString("base64"),
      },
    ];
    const digest = {
      mime: "image/webp",
      bytes: 5000,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    };
    expect(responses.response(response({ output }), OPTIONS).output).toEqual([
      { ...output[0], result: digest },
    ]);
  });

  it("leaves log probabilities out of the text unless asked for them", () => {
    const logprobs = [{ token: "Hi", logprob: -1, bytes: [], top_logprobs: [] }];
    const output = [message([text("Hi", { logprobs })])];
    const byDefault = responses.response(response({ output }), OPTIONS);
    expect(byDefault).toMatchObject({ output: "Hi", metadata: { logprobs: [{ tokens: 1 }] } });
    expect(
      responses.response(response({ output }), { ...OPTIONS, captureLogprobs: true }).output,
    ).toEqual(output);
  });

  it.each([
    [
      "queued",
      { status: "queued", output: [], usage: null },
      { output: "", finishReasons: ["queued"] },
    ],
    [
      "cancelled",
      { status: "cancelled", output: [] },
      { outcome: "aborted", finishReasons: ["cancelled"] },
    ],
    [
      "cut at the limit",
      { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
      { output: "Hi there", finishReasons: ["max_output_tokens"] },
    ],
    [
      "filtered",
      { status: "incomplete", incomplete_details: { reason: "content_filter" } },
      { outcome: "blocked", blockReason: "content_filter", finishReasons: ["content_filter"] },
    ],
    [
      "failed",
      { status: "failed", error: { code: "server_error", message: "It broke" }, output: [] },
      {
        outcome: "error",
        error: { type: "provider_error", code: "server_error", message: "It broke" },
      },
    ],
    [
      "failed by a policy",
      { status: "failed", error: { code: "bio_policy", message: "No" }, output: [] },
      {
        outcome: "blocked",
        blockReason: "bio_policy",
        safetyPassed: false,
        error: { code: "bio_policy" },
      },
    ],
  ])("says in which state it is: %s", (_, more, expected) => {
    expect(responses.response(response(more), OPTIONS)).toMatchObject(expected);
  });

  it("has no outcome of its own while it is queued, and no usage", () => {
    const fields = responses.response(
      response({ status: "queued", output: [], usage: null }),
      OPTIONS,
    );
    expect(fields).not.toHaveProperty("outcome");
    expect(fields).not.toHaveProperty("usage");
  });
});

describe("calls about a known response", () => {
  it.each([
    ["GET", "/responses/resp_1", "responses.retrieve"],
    ["POST", "/responses/resp_1/cancel", "responses.cancel"],
  ])("are linked to it by its id: %s %s", (method, path, operation) => {
    const request = post(path, undefined, { method });
    const surface = surfaceFor(request);
    expect(surface.request(request, OPTIONS)).toMatchObject({
      operation,
      input: { response_id: "resp_1" },
      responseId: "resp_1",
    });
    expect(surface.response(response(), OPTIONS)).toMatchObject({
      responseId: "resp_1",
      output: "Hi there",
    });
  });

  it("record a compaction with what was compacted and what came of it", () => {
    const request = post("/responses/compact", {
      model: "gpt-5",
      input: [{ role: "user", content: "a" }, "b"],
    });
    const surface = surfaceFor(request);
    expect(surface.request(request, OPTIONS)).toMatchObject({
      operation: "responses.compact",
      model: "gpt-5",
    });
    const output = [{ id: "cmp_1", type: "compaction", encrypted_content: "abc" }];
    expect(
      surface.response({ id: "resp_2", object: "response.compaction", output }, OPTIONS).output,
    ).toEqual(output);
  });
});

const at = (index: number, more: object): object => ({
  output_index: index,
  item_id: `i_${index}`,
  ...more,
});
const textDelta = (delta: string, index = 0): object =>
  at(index, { type: "response.output_text.delta", content_index: 0, delta });

describe("a streamed response", () => {
  const opening = [
    {
      type: "response.created",
      response: response({ status: "in_progress", output: [], usage: null }),
    },
    at(0, { type: "response.output_item.added", item: message([], { status: "in_progress" }) }),
    at(0, { type: "response.content_part.added", content_index: 0, part: text("") }),
  ];

  it("amounts to the same fields as the response that is not streamed", () => {
    const collector = collect(REQUEST, [
      ...opening,
      textDelta("Hi "),
      textDelta("there"),
      at(0, { type: "response.output_text.done", content_index: 0, text: "Hi there" }),
      at(0, { type: "response.output_item.done", item: message([text("Hi there")]) }),
      { type: "response.completed", response: response() },
    ]);
    expect(collector.terminal).toBe(true);
    expect(collector.result()).toEqual(responses.response(response(), OPTIONS));
  });

  it("has its first content with the first delta", () => {
    const collector = collect(REQUEST, opening);
    expect(collector.firstContentSeen).toBe(false);
    collector.push(textDelta("H"));
    expect(collector.firstContentSeen).toBe(true);
  });

  it("keeps what had come when it was cut, item by item", () => {
    const call = {
      id: "fc",
      type: "function_call",
      call_id: "c",
      name: "f",
      arguments: "",
      status: "in_progress",
    };
    const collector = collect(REQUEST, [
      ...opening,
      textDelta("Once "),
      textDelta("upon"),
      at(1, { type: "response.output_item.added", item: call }),
      at(1, { type: "response.function_call_arguments.delta", delta: '{"a":' }),
      at(2, {
        type: "response.output_item.added",
        item: { id: "rs", type: "reasoning", summary: [] },
      }),
      at(2, { type: "response.reasoning_summary_text.delta", summary_index: 0, delta: "Because" }),
    ]);
    expect(collector.terminal).toBe(false);
    expect(collector.result()).toMatchObject({
      responseId: "resp_1",
      finishReasons: ["in_progress"],
      output: [
        { type: "message", content: [{ type: "output_text", text: "Once upon" }] },
        { ...call, arguments: '{"a":' },
        { type: "reasoning", summary: [{ type: "summary_text", text: "Because" }] },
      ],
    });
  });

  it("is text when it was cut in its only text", () => {
    expect(collect(REQUEST, [...opening, textDelta("Once")]).result().output).toBe("Once");
  });

  it("takes the items that came before when the last event has none", () => {
    const collector = collect(REQUEST, [
      at(0, { type: "response.output_item.done", item: message([text("Hi there")]) }),
      { type: "response.completed", response: response({ output: [] }) },
    ]);
    expect(collector.result().output).toBe("Hi there");
  });

  it.each([
    ["by deltas", [{ type: "response.refusal.delta", content_index: 0, delta: "No." }]],
    ["at once", [{ type: "response.refusal.done", content_index: 0, refusal: "No." }]],
    [
      "by both",
      [
        { type: "response.refusal.delta", content_index: 0, delta: "No." },
        { type: "response.refusal.done", content_index: 0, refusal: "No." },
      ],
    ],
  ])("collects a refusal as a block, also when it was cut after it: %s", (_, events) => {
    const collector = collect(REQUEST, [...opening, ...events.map((event) => at(0, event))]);
    expect(collector.result()).toMatchObject({
      output: [{ content: [{ type: "refusal", refusal: "No." }] }],
      outcome: "blocked",
      detectorsTriggered: ["openai:refusal"],
    });
  });

  it.each([
    [
      "response.incomplete",
      { status: "incomplete", incomplete_details: { reason: "content_filter" } },
      "blocked",
    ],
    [
      "response.failed",
      { status: "failed", error: { code: "server_error", message: "x" } },
      "error",
    ],
  ])("ends with %s", (type, more, outcome) => {
    const collector = collect(REQUEST, [...opening, { type, response: response(more) }]);
    expect(collector.terminal).toBe(true);
    expect(collector.result().outcome).toBe(outcome);
  });

  it("ends with an error event, and keeps what had come", () => {
    const collector = collect(REQUEST, [
      ...opening,
      textDelta("Once"),
      {
        type: "error",
        code: "rate_limit_exceeded",
        message: "Slow down",
        param: null,
        sequence_number: 4,
      },
    ]);
    expect(collector.terminal).toBe(true);
    expect(collector.result()).toMatchObject({
      output: "Once",
      outcome: "error",
      error: { type: "error", code: "rate_limit_exceeded", message: "Slow down" },
    });
  });

  it("keeps digest and length of text beyond maxContentBytes", () => {
    const long = "word ".repeat(100);
    const collector = collect(REQUEST, [...opening, textDelta(long)], {
      ...OPTIONS,
      maxContentBytes: 300,
    });
    const sha256 = createHash("sha256").update(long).digest("hex");
    expect(collector.result().output).toMatchObject([
      { content: [{ text: { omitted: "maxContentBytes", bytes: 500, sha256 } }] },
    ]);
  });

  it("keeps digest and length of items beyond maxContentBytes when the stream is cut after them", () => {
    const items = ["short", "x".repeat(30_000)].map((value, index) =>
      at(index, { type: "response.output_item.done", item: message([text(value)]) }),
    );
    const { output } = collect(REQUEST, items, { ...OPTIONS, maxContentBytes: 20_000 }).result();
    const size = JSON.stringify(message([text("x".repeat(30_000))])).length;
    expect(output).toEqual([
      message([text("short")]),
      {
        type: "message",
        item: {
          omitted: "maxContentBytes",
          bytes: size,
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      },
    ]);
  });

  it.each([
    ["null", null],
    ["a string", "data"],
    ["no type", {}],
    ["a delta that is an object", { type: "response.output_text.delta", delta: { a: 1 } }],
    ["an item that is null", { type: "response.output_item.done", output_index: 0, item: null }],
    ["a response that is a string", { type: "response.completed", response: "done" }],
    ["an unknown event", { type: "response.something.new", output_index: -1 }],
  ])("never throws: %s", (_, event) => {
    const collector = collect(REQUEST, [...opening, textDelta("a"), event]);
    expect(collector.result()).toHaveProperty("output");
  });
});
