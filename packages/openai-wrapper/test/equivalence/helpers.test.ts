// The SDK's helpers on top of calls: parsers, event streams, tool runners.
import { describe, expect, it } from "vitest";
import {
  chunk,
  chunks,
  completion,
  response,
  responseEvents,
  toolCall,
  toolChunks,
} from "./payloads.ts";
import { loadSdk, expectSameBehaviour, useWireServer, VERSIONS } from "./same-behaviour.ts";
import { events, json } from "@ai-audit/test-support/wire-server";

const hello = { model: "gpt-5", messages: [{ role: "user" as const, content: "Weather?" }] };

const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const format = {
  type: "json_schema" as const,
  json_schema: { name: "weather", strict: true, schema },
};

/** A tool that notes its calls. */
const weather = (note: (...what: readonly unknown[]) => void): object => ({
  type: "function",
  function: {
    name: "weather",
    description: "The weather of a city",
    parameters: schema,
    parse: JSON.parse,
    function: (args: { readonly city: string }) => {
      note("tool", args);
      return `sunny in ${args.city}`;
    },
  },
});

describe.each(VERSIONS)("helpers of %s, audited", async (version) => {
  const sdk = await loadSdk(version);
  useWireServer();

  it("parses a completion", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [json(completion('{"city":"Ulm"}'))],
      async ({ client, note }) => {
        const parsed = await client.chat.completions.parse({ ...hello, response_format: format });
        note(parsed.choices[0]?.message, Object.keys(parsed));
        return parsed;
      },
    );
    expect(outcome.thrown).toBeUndefined();
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: '{"city":"Ulm"}' }]);
  });

  it("throws the parser's own error after a 200 that was cut short or filtered, and records what came", async () => {
    for (const finish of ["length", "content_filter"]) {
      const choices = [
        {
          index: 0,
          finish_reason: finish,
          message: { role: "assistant", content: "{", refusal: null },
        },
      ];
      const { entries, outcome } = await expectSameBehaviour(
        sdk,
        [json(completion("{", { choices }))],
        ({ client }) => client.chat.completions.parse({ ...hello, response_format: format }),
      );
      expect(outcome.thrown).toBeInstanceOf(Error);
      expect(entries).toMatchObject([
        { outcome: finish === "length" ? "ok" : "blocked", finishReasons: [finish] },
      ]);
    }
  });

  it("parses a response", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json(response('{"city":"Ulm"}'))],
      async ({ client }) =>
        client.responses.parse({
          model: "gpt-5",
          input: "Weather?",
          text: { format: { type: "json_schema", name: "weather", strict: true, schema } },
        }),
    );
    expect(entries).toMatchObject([
      { outcome: "ok", operation: "responses", outputContent: '{"city":"Ulm"}' },
    ]);
  });

  it("streams a completion through its helper, with every event in its order", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client, note }) => {
        const stream = client.chat.completions.stream(hello);
        for (const name of [
          "connect",
          "chunk",
          "content",
          "content.delta",
          "content.done",
          "message",
          "finalMessage",
          "end",
        ] as const) {
          stream.on(name, (...args: unknown[]) => note(name, ...args));
        }
        for await (const event of stream) note("iterated", event);
        note(
          await stream.finalChatCompletion(),
          await stream.finalContent(),
          stream.ended,
          stream.errored,
          stream.aborted,
        );
      },
    );
    expect(entries).toMatchObject([
      { outcome: "ok", streamed: true, outputContent: "Hello, world" },
    ]);
  });

  it("streams tool calls through its helper", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(toolChunks("weather", ['{"ci', 'ty":"Ulm"}']))],
      async ({ client, note }) => {
        const stream = client.chat.completions.stream({
          ...hello,
          tools: [{ type: "function", function: { name: "weather", parameters: schema } }],
        });
        stream.on("tool_calls.function.arguments.delta", (event) => note("delta", event));
        stream.on("tool_calls.function.arguments.done", (event) => note("done", event));
        note(await stream.finalMessage());
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok", finishReasons: ["tool_calls"] }]);
    expect(entries[0]?.outputContent).toContain("weather");
  });

  it("rejects a helper's promises with the same errors", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json({ error: { message: "No." } }, 400)],
      async ({ client, note }) => {
        const stream = client.chat.completions.stream(hello);
        stream.on("error", (error) => note("error", error));
        await stream.done().catch((error: unknown) => note("done", error));
        await stream.finalMessage().catch((error: unknown) => note("finalMessage", error));
        note(stream.errored);
      },
    );
    expect(entries).toMatchObject([{ outcome: "error", error: { status: 400 } }]);
  });

  it("aborts a helper", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks.slice(0, 3), { ending: "hang" })],
      async ({ client, note }) => {
        const stream = client.chat.completions.stream(hello);
        stream.on("content", (delta) => {
          if (delta === ", ") stream.abort();
        });
        stream.on("abort", (error) => note("abort", error));
        await stream.done().catch((error: unknown) => note("done", error));
        note(stream.aborted);
      },
    );
    expect(entries).toMatchObject([{ outcome: "aborted", outputContent: "Hello, " }]);
  });

  it("runs tools, one entry for each call of the model", async () => {
    const replies = [json(toolCall("weather", '{"city":"Ulm"}')), json(completion("It is sunny."))];
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      replies,
      async ({ client, note }) => {
        const runner = client.chat.completions.runTools({
          ...hello,
          tools: [weather(note) as never],
        });
        for (const name of [
          "message",
          "functionToolCall",
          "functionToolCallResult",
          "finalContent",
          "totalUsage",
        ] as const) {
          runner.on(name, (...args: unknown[]) => note(name, ...args));
        }
        note(await runner.finalContent(), runner.messages, await runner.totalUsage());
      },
    );
    expect(outcome.notes).toContainEqual(["tool", { city: "Ulm" }]);
    expect(entries).toHaveLength(2);
    expect(entries[1]).toMatchObject({ outcome: "ok", outputContent: "It is sunny." });
    expect(entries[1]?.inputContent).toContain("sunny in Ulm");
  });

  it("runs tools over streams", async () => {
    const replies = [events(toolChunks("weather", ['{"city":', '"Ulm"}'])), events(chunks)];
    const { entries } = await expectSameBehaviour(sdk, replies, async ({ client, note }) => {
      const runner = client.chat.completions.runTools({
        ...hello,
        stream: true,
        tools: [weather(note) as never],
      });
      runner.on("content", (delta) => note("content", delta));
      note(await runner.finalContent(), runner.messages);
    });
    expect(entries).toMatchObject([
      { finishReasons: ["tool_calls"] },
      { outputContent: "Hello, world" },
    ]);
  });

  it("goes on after a tool that throws, as it does", async () => {
    const replies = [json(toolCall("weather", "{oops")), json(completion("Sorry."))];
    const { entries } = await expectSameBehaviour(sdk, replies, async ({ client, note }) => {
      const runner = client.chat.completions.runTools({
        ...hello,
        tools: [weather(note) as never],
      });
      await runner.done().catch((error: unknown) => note(error));
      note(runner.messages, runner.errored);
    });
    expect(entries.length).toBeGreaterThan(0);
  });

  it("streams a response through its helper", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(responseEvents(), { named: true, ending: "end" })],
      async ({ client, note }) => {
        const stream = client.responses.stream({ model: "gpt-5", input: "Weather?" });
        stream.on("response.output_text.delta", (event) => note("delta", event));
        for await (const event of stream) note(event.type);
        note(await stream.finalResponse());
      },
    );
    expect(entries).toMatchObject([
      { outcome: "ok", operation: "responses", outputContent: "Hello", streamed: true },
    ]);
  });

  it("gives a helper's stream to another process and back", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(chunks)],
      async ({ client, note }) => {
        const raw = client.chat.completions.stream(hello).toReadableStream();
        note(await new Response(raw).text());
      },
    );
    expect(entries).toMatchObject([{ outcome: "ok", outputContent: "Hello, world" }]);
  });

  it("collects a refusal that is streamed", async () => {
    const refusal = [
      chunk({ role: "assistant", refusal: "" }),
      chunk({ refusal: "I can't." }),
      chunk({}, "stop"),
    ];
    const { entries } = await expectSameBehaviour(
      sdk,
      [events(refusal)],
      async ({ client, note }) => {
        const stream = client.chat.completions.stream(hello);
        stream.on("refusal.delta", (event) => note(event));
        note(await stream.finalMessage());
      },
    );
    expect(entries).toMatchObject([
      { outcome: "blocked", safetyPassed: false, detectorsTriggered: ["openai:refusal"] },
    ]);
  });

  it("keeps the order of parallel tool calls", async () => {
    const calls = ["weather", "time"].map((name, index) => ({
      id: `call_${index}`,
      type: "function",
      function: { name, arguments: `{"n":${index}}` },
    }));
    const message = { role: "assistant", content: null, refusal: null, tool_calls: calls };
    const reply = json(
      completion(null, { choices: [{ index: 0, finish_reason: "tool_calls", message }] }),
    );
    const { entries } = await expectSameBehaviour(sdk, [reply], ({ client }) =>
      client.chat.completions.create(hello),
    );
    const output = JSON.parse(entries[0]?.outputContent ?? "null") as {
      readonly tool_calls: readonly { readonly id: string }[];
    };
    expect(output.tool_calls.map(({ id }) => id)).toEqual(["call_0", "call_1"]);
  });
});
