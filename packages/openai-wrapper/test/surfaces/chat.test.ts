import { canonicalJson } from "@ai-audit/core/format";
import { describe, expect, it } from "vitest";
import { OPTIONS, post } from "./wire.ts";
import { PATH, REQUEST, chat, sha256, answer } from "./chat-payloads.ts";

const inputOf = (body: unknown): unknown => chat.request(post(PATH, body), OPTIONS).input;

describe("a chat completion's request", () => {
  it("is the text when a single user message is all there is", () => {
    expect(chat.request(REQUEST, OPTIONS)).toEqual({
      operation: "chat",
      provider: "openai",
      server: { address: "api.openai.com" },
      input: "Hello!",
      model: "gpt-5",
    });
  });

  it.each([
    [
      "several messages",
      [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hi" },
      ],
    ],
    ["a message that is not the user's", [{ role: "system", content: "Hi" }]],
    ["a message with a name", [{ role: "user", name: "ada", content: "Hi" }]],
    ["a message of parts", [{ role: "user", content: [{ type: "text", text: "Hi" }] }]],
    ["no message", []],
  ])("is the messages when there is more than one text: %s", (_, messages) => {
    expect(inputOf({ model: "m", messages })).toEqual(messages);
  });

  it.each(["tools", "functions", "response_format", "prediction", "web_search_options"])(
    "names what the model sees besides the messages: %s",
    (member) => {
      const messages = [{ role: "user", content: "Hi" }];
      const body = { model: "m", messages, [member]: { type: "x" } };
      expect(inputOf(body)).toEqual({ messages, [member]: { type: "x" } });
    },
  );

  it("is a copy: later changes of the caller's objects do not reach the entry", () => {
    const messages = [{ role: "user", content: [{ type: "text", text: "before" }] }];
    const input = inputOf({ messages });
    messages[0]?.content.push({ type: "text", text: "after" });
    expect(input).toEqual([{ role: "user", content: [{ type: "text", text: "before" }] }]);
  });

  it("holds a digest for images and audio of more than 2 KB, and small ones whole", () => {
    const large = Buffer.alloc(3000, 7);
    const small = Buffer.alloc(100, 7).toString("base64");
    const content = [
      {
        type: "image_url",
        image_url: { url: `data:image/png;base64,${large.toString("base64")}` },
      },
      { type: "image_url", image_url: { url: `data:image/png;base64,${small}` } },
      { type: "input_audio", input_audio: { data: large.toString("base64"), format: "wav" } },
      {
        type: "file",
        file: {
          filename: "a.pdf",
          file_data: `data:application/pdf;base64,${large.toString("base64")}`,
        },
      },
    ];
    const digest = { bytes: 3000, sha256: sha256(large) };
    expect(inputOf({ messages: [{ role: "user", content }] })).toEqual([
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: { mime: "image/png", ...digest } } },
          content[1],
          {
            type: "input_audio",
            input_audio: { data: { mime: "audio/wav", ...digest }, format: "wav" },
          },
          {
            type: "file",
            file: { filename: "a.pdf", file_data: { mime: "application/pdf", ...digest } },
          },
        ],
      },
    ]);
  });

  it("holds text whole whatever the member that holds it is called", () => {
    const long = "word ".repeat(1000);
    const content = [{ type: "data", data: long, format: "wav", result: long, b64_json: long }];
    const messages = [{ role: "user", content, data: "x".repeat(5000) }];
    expect(inputOf({ messages })).toEqual(messages);
  });

  it("lists allow-listed parameters and the names of tools, and nobody's name", () => {
    const { parameters } = chat.request(
      post(PATH, {
        model: "m",
        messages: [],
        temperature: 0,
        n: 2,
        stop: ["END"],
        stream: true,
        tools: [
          { type: "function", function: { name: "get_weather", parameters: {} } },
          { type: "custom", custom: { name: "run" } },
        ],
        tool_choice: { type: "function", function: { name: "get_weather" } },
        response_format: { type: "json_schema", json_schema: { name: "s", schema: {} } },
        user: "ada@example.com",
        safety_identifier: "ada",
        metadata: { customer: "ada" },
        api_key: "sk-secret",
        guided_json: { secret: "of a host" },
      }),
      OPTIONS,
    );
    expect(parameters).toEqual({
      temperature: 0,
      n: 2,
      stop: ["END"],
      stream: true,
      tools: ["get_weather", "run"],
      tool_choice: "get_weather",
      response_format: "json_schema",
      parameters_omitted: ["api_key", "guided_json"],
    });
  });

  it("becomes its length and digest beyond maxContentBytes, and says so", () => {
    const text = "ü".repeat(600);
    const fields = chat.request(post(PATH, { messages: [{ role: "user", content: text }] }), {
      ...OPTIONS,
      maxContentBytes: 1000,
    });
    expect(fields.input).toEqual({ omitted: "maxContentBytes", bytes: 1200, sha256: sha256(text) });
    expect(fields.alerts).toEqual([
      "ai-audit: the input is larger than maxContentBytes: only digest and length are kept",
    ]);
  });

  it("becomes its length and digest when inputs are not captured", () => {
    const messages = [{ role: "system", content: "a" }];
    const fields = chat.request(post(PATH, { messages }), { ...OPTIONS, captureInput: false });
    const text = canonicalJson(messages);
    expect(fields.input).toEqual({
      omitted: "captureInput",
      bytes: text.length,
      sha256: sha256(text),
    });
    expect(fields.alerts).toBeUndefined();
  });
});

describe("a chat completion's response", () => {
  it("is its text, with usage as reported, finish reason, id and model served", () => {
    expect(chat.response(answer, OPTIONS)).toEqual({
      output: "Hi there",
      inputTokens: 9,
      outputTokens: 12,
      usage: {
        cachedInputTokens: 4,
        reasoningOutputTokens: 8,
        inputAudioTokens: 0,
        outputAudioTokens: 0,
        source: "reported",
      },
      finishReasons: ["stop"],
      responseId: "chatcmpl-1",
      responseModel: "gpt-5-2026-08-01",
      metadata: { served: { system_fingerprint: "fp_1" } },
    });
  });

  it("has no token figures when the provider reports none", () => {
    const fields = chat.response({ ...answer, usage: null }, OPTIONS);
    expect(fields).not.toHaveProperty("inputTokens");
    expect(fields).not.toHaveProperty("usage");
  });

  it("is the list of messages when there are several choices, with usage not summed", () => {
    const choices = ["a", "b"].map((content, index) => ({
      index,
      message: { role: "assistant", content },
      finish_reason: index === 0 ? "stop" : "length",
    }));
    const fields = chat.response({ ...answer, choices }, OPTIONS);
    expect(fields.output).toEqual([
      { role: "assistant", content: "a" },
      { role: "assistant", content: "b" },
    ]);
    expect(fields.finishReasons).toEqual(["stop", "length"]);
    expect(fields.outputTokens).toBe(12);
  });

  it.each([
    [
      "tool calls",
      {
        tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }],
      },
    ],
    ["a function call", { function_call: { name: "f", arguments: "{}" } }],
    ["annotations", { content: "x", annotations: [{ type: "url_citation" }] }],
    ["what other providers add", { content: "x", reasoning_content: "because" }],
  ])("is the message when there is more than text: %s", (_, more) => {
    const message = { role: "assistant", content: null, ...more };
    const fields = chat.response(
      { choices: [{ index: 0, message, finish_reason: "stop" }] },
      OPTIONS,
    );
    expect(fields.output).toEqual(message);
  });

  it("holds a digest of audio beside its transcript", () => {
    const audio = Buffer.alloc(4000, 1);
    const message = {
      role: "assistant",
      content: null,
      audio: { id: "a1", data: audio.toString("base64"), transcript: "Hello" },
    };
    expect(chat.response({ choices: [{ message }] }, OPTIONS).output).toEqual({
      role: "assistant",
      content: null,
      audio: { id: "a1", data: { bytes: 4000, sha256: sha256(audio) }, transcript: "Hello" },
    });
  });

  it("counts and digests log probabilities, or keeps them when asked to", () => {
    const token = { token: "Hi", logprob: -0.5, bytes: [72], top_logprobs: [] };
    const logprobs = { content: [token], refusal: null };
    const choices = [
      { index: 0, message: { role: "assistant", content: "Hi" }, logprobs, finish_reason: "stop" },
    ];
    const byDefault = chat.response({ choices }, OPTIONS);
    expect(byDefault.output).toBe("Hi");
    expect(byDefault.metadata).toEqual({
      logprobs: [{ tokens: 1, sha256: sha256(`${JSON.stringify(token)}\n`) }],
    });
    const asked = chat.response({ choices }, { ...OPTIONS, captureLogprobs: true });
    expect(asked.output).toEqual({ role: "assistant", content: "Hi", logprobs });
    expect(asked.metadata).toBeUndefined();
  });

  it.each([
    ["a page of a proxy", "<html>Sign in</html>", "<html>Sign in</html>"],
    [
      "another object",
      { detail: "later", api_key: "x" },
      { detail: "later", api_key: "[REDACTED]" },
    ],
  ])("is kept as it came when it is not one: %s", (_, body, output) => {
    expect(chat.response(body, OPTIONS)).toEqual({
      output,
      alerts: ["ai-audit: the response has no list of choices: it is kept as it came"],
    });
  });

  it.each([
    ["null", null],
    ["a string", "<html>"],
    ["an array", []],
    ["null choices", { choices: null }],
    ["a choice that is null", { choices: [null] }],
    ["a message that is a string", { choices: [{ message: "hi" }] }],
    [
      "numbers where texts belong",
      { id: 5, model: {}, choices: [{ finish_reason: 7 }], usage: "none" },
    ],
    [
      "filter results of the wrong kind",
      { choices: [{ content_filter_results: "none" }], prompt_filter_results: {} },
    ],
  ])("never throws: %s", (_, body) => {
    expect(chat.response(body, OPTIONS)).toHaveProperty("output");
  });

  it("says in an alert that a payload could not be read", () => {
    const body = {
      get choices(): unknown {
        throw new TypeError("secret text");
      },
    };
    expect(chat.response(body, OPTIONS)).toEqual({
      alerts: ["ai-audit: the response could not be read (TypeError)"],
    });
  });
});
