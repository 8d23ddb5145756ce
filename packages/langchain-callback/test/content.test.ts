import {
  AIMessage,
  ChatMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { only, startBench } from "./fixtures.ts";
import { chat, chatFor } from "./openai-server.ts";

describe("the input", () => {
  it("is text when all that was sent is one text", async () => {
    await using bench = await startBench();
    for (const input of [
      "Hello!",
      [["human", "Hello!"]] as [string, string][],
      [new HumanMessage("Hello!")],
    ]) {
      await bench.model().invoke(input, { callbacks: [bench.handler] });
    }
    for (const entry of await bench.entries()) {
      expect(entry.inputContent).toBe("Hello!");
      expect(entry.inputFormat).toBeUndefined();
    }
  });

  it("is the messages in a neutral shape otherwise", async () => {
    await using bench = await startBench();
    await bench.model().invoke(
      [
        new SystemMessage("Be brief."),
        new HumanMessage({ content: "What is it?", name: "ann" }),
        new AIMessage({
          content: "",
          tool_calls: [{ id: "call_1", name: "look", args: { at: "sky" } }],
        }),
        new ToolMessage({ content: "blue", tool_call_id: "call_1", artifact: { not: "sent" } }),
        new ChatMessage("as somebody else", "critic"),
      ],
      { callbacks: [bench.handler] },
    );
    const entry = only(await bench.entries());
    expect(entry.inputFormat).toBe("json");
    expect(bench.content(entry).input).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "What is it?", name: "ann" },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "call_1", name: "look", args: { at: "sky" } }],
      },
      { role: "tool", content: "blue", tool_call_id: "call_1" },
      { role: "critic", content: "as somebody else" },
    ]);
  });

  it("is what was sent, whatever else a message carries under the names of its members", async () => {
    await using bench = await startBench();
    const message = new HumanMessage({
      content: "sent",
      additional_kwargs: { content: "not sent", role: "system" },
    });
    await bench.handler.handleChatModelStart({ id: ["FakeChat"] }, [[message]], "run-1");
    await bench.handler.handleLLMEnd({ generations: [] }, "run-1");
    expect(only(await bench.entries()).inputContent).toBe("sent");
  });

  it("keeps a member called __proto__, wherever a message has one", async () => {
    await using bench = await startBench();
    const hidden: Record<string, string> = JSON.parse('{"__proto__":"kept","z":"z"}');
    const message = new AIMessage({
      content: [{ type: "custom", hidden }],
      additional_kwargs: { hidden },
      tool_calls: [{ id: "call_1", name: "look", args: hidden }],
    });
    Object.defineProperty(message.additional_kwargs, "__proto__", {
      value: "kept",
      enumerable: true,
    });
    await bench.handler.handleChatModelStart({ id: ["FakeChat"] }, [[message]], "run-1");
    await bench.handler.handleLLMEnd({ generations: [[{ text: "", message }]] }, "run-1");
    const look = tool(() => hidden, { name: "look", schema: z.looseObject({}) });
    await look.invoke(hidden, { callbacks: [bench.handler] });
    const [model, called] = await bench.entries();
    const role = '"role":"assistant"';
    const described =
      '{"__proto__":"kept","content":[{"hidden":{"__proto__":"kept","z":"z"},"type":"custom"}],' +
      `"hidden":{"__proto__":"kept","z":"z"},${role},` +
      '"tool_calls":[{"args":{"__proto__":"kept","z":"z"},"id":"call_1","name":"look"}]}';
    expect(model).toMatchObject({ inputContent: `[${described}]`, outputContent: described });
    expect(called?.outputContent).toBe('{"__proto__":"kept","z":"z"}');
  });

  it("has the tools beside the messages when tools were sent", async () => {
    await using bench = await startBench();
    const look = tool(() => "blue", {
      name: "look",
      description: "Looks.",
      schema: z.object({ at: z.string() }),
    });
    await bench
      .model()
      .bindTools([look], { tool_choice: "auto" })
      .invoke("What is it?", { callbacks: [bench.handler] });
    const entry = only(await bench.entries());
    expect(entry.parameters).toMatchObject({ tools: ["look"], tool_choice: "auto" });
    expect(bench.content(entry).input).toMatchObject({
      messages: [{ role: "user", content: "What is it?" }],
      tools: [
        {
          type: "function",
          function: { name: "look", description: "Looks.", parameters: { type: "object" } },
        },
      ],
    });
  });

  it("holds the digest of an image of more than 2 KB, and a small one whole", async () => {
    await using bench = await startBench();
    const large = randomBytes(5000);
    const small = randomBytes(50).toString("base64");
    const content = [
      { type: "text", text: "What is this?" },
      {
        type: "image_url",
        image_url: { url: `data:image/png;base64,${large.toString("base64")}` },
      },
      { type: "image_url", image_url: { url: `data:image/png;base64,${small}` } },
    ];
    await bench.model().invoke([new HumanMessage({ content })], { callbacks: [bench.handler] });
    const digest = {
      mime: "image/png",
      bytes: 5000,
      sha256: createHash("sha256").update(large).digest("hex"),
    };
    expect(bench.content(only(await bench.entries())).input).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: digest } },
          { type: "image_url", image_url: { url: `data:image/png;base64,${small}` } },
        ],
      },
    ]);
  });

  it("keeps an image whole when asked to", async () => {
    await using bench = await startBench(undefined, { inlineBytes: Infinity });
    const data = randomBytes(5000).toString("base64");
    const content = [{ type: "image", source_type: "base64", mime_type: "image/png", data }];
    await bench.model().invoke([new HumanMessage({ content })], { callbacks: [bench.handler] });
    expect(JSON.stringify(bench.content(only(await bench.entries())).input)).toContain(data);
  });

  it("keeps long text that looks like base64 as it is", async () => {
    await using bench = await startBench();
    const text = "a".repeat(8000);
    await bench
      .model()
      .invoke([new SystemMessage("x"), new HumanMessage({ content: [{ type: "text", text }] })], {
        callbacks: [bench.handler],
      });
    expect(JSON.stringify(bench.content(only(await bench.entries())).input)).toContain(text);
  });
});

describe("the output", () => {
  it("is the message as JSON when it is more than text", async () => {
    await using bench = await startBench((request) =>
      chatFor(request, "Let me look.", {
        toolCalls: [{ id: "call_1", name: "look", args: { at: "sky" } }],
      }),
    );
    await bench.model().invoke("What is it?", { callbacks: [bench.handler] });
    for await (const _ of await bench
      .model()
      .stream("What is it?", { callbacks: [bench.handler] }));
    const entries = await bench.entries();
    expect(entries).toHaveLength(2);
    for (const entry of entries) {
      expect(entry.finishReasons).toEqual(["tool_calls"]);
      expect(bench.content(entry).output).toEqual({
        role: "assistant",
        content: "Let me look.",
        tool_calls: [{ id: "call_1", name: "look", args: { at: "sky" } }],
      });
    }
  });

  it("keeps arguments that are not JSON, as the model wrote them", async () => {
    await using bench = await startBench(() =>
      chat(null, {
        message: {
          tool_calls: [
            { id: "call_1", type: "function", function: { name: "look", arguments: "{at:" } },
          ],
        },
      }),
    );
    await bench.model().invoke("What is it?", { callbacks: [bench.handler] });
    expect(bench.content(only(await bench.entries())).output).toMatchObject({
      invalid_tool_calls: [{ id: "call_1", name: "look", args: "{at:" }],
    });
  });
});

describe("what the user gives along", () => {
  it("is kept as far as it is on the list: tags, conversation and the named metadata", async () => {
    await using bench = await startBench(undefined, { metadataKeys: ["team"] });
    await bench.model().invoke("Hello!", {
      callbacks: [bench.handler],
      tags: ["mine"],
      metadata: { team: "blue", session_id: "s1", private: "no" },
    });
    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      conversationId: "s1",
      metadata: { team: "blue" },
      run: { tags: ["mine"] },
    });
    expect(JSON.stringify(entry)).not.toContain("private");
  });

  it("comes from the handler's options where the call says nothing", async () => {
    await using bench = await startBench(undefined, {
      conversationId: "c1",
      metadata: { app: "demo" },
    });
    await bench.model().invoke("a", { callbacks: [bench.handler] });
    await bench
      .model()
      .invoke("b", { callbacks: [bench.handler], metadata: { conversation_id: "c2" } });
    expect((await bench.entries()).map(({ conversationId }) => conversationId)).toEqual([
      "c1",
      "c2",
    ]);
    expect((await bench.entries()).map(({ metadata }) => metadata)).toEqual([
      { app: "demo" },
      { app: "demo" },
    ]);
  });
});

/** Objects each of which holds all the others. */
function knot(
  size: number,
  made: (id: number) => Record<string, unknown>,
): Record<string, unknown> {
  const all = Array.from({ length: size }, (_, id) => made(id));
  for (const one of all)
    for (const [id, other] of all.entries()) if (other !== one) one[`to${id}`] = other;
  return all[0] ?? {};
}

const made = (output: unknown) =>
  tool(() => output, { name: "make", description: "Makes.", schema: z.object({}) });

describe("a value that a tool returns", () => {
  it("in which everything holds everything is an entry of bounded size", async () => {
    await using bench = await startBench();
    let read = 0;
    class Counted {
      [member: string]: unknown;
      toJSON(): object {
        read += 1;
        return Object.fromEntries(Object.entries(this));
      }
    }
    await made(knot(20, (id) => ({ id }))).invoke({}, { callbacks: [bench.handler] });
    await made(knot(20, () => new Counted())).invoke({}, { callbacks: [bench.handler] });
    const lengths = (await bench.entries()).map(
      ({ outputContent }) => String(outputContent).length,
    );
    expect(Math.max(...lengths)).toBeLessThan(20_000_000);
    expect(Math.min(...lengths)).toBeGreaterThan(1000);
    expect(read).toBeLessThan(50_000);
  });

  it("that is small and holds itself is kept once", async () => {
    await using bench = await startBench();
    await made(knot(3, (id) => ({ id }))).invoke({}, { callbacks: [bench.handler] });
    expect(bench.content(only(await bench.entries())).output).toEqual({
      id: 0,
      to1: { id: 1, to0: "[circular]", to2: { id: 2, to0: "[circular]", to1: "[circular]" } },
      to2: { id: 2, to0: "[circular]", to1: { id: 1, to0: "[circular]", to2: "[circular]" } },
    });
  });

  it("keeps messages in their neutral shape at any depth, also one that holds its own state", async () => {
    await using bench = await startBench();
    const message = new AIMessage({ content: "deep", additional_kwargs: { note: {} } });
    const state: Record<string, unknown> = { messages: [message] };
    message.additional_kwargs["note"] = { state };
    let deep: Record<string, unknown> = state;
    for (let level = 0; level < 12; level++) deep = { deep };
    await made(deep).invoke({}, { callbacks: [bench.handler] });
    const { outputContent } = only(await bench.entries());
    const kept =
      '{"messages":[{"content":"deep","note":{"state":"[circular]"},"role":"assistant"}]}';
    expect(outputContent).toBe(`${'{"deep":'.repeat(12)}${kept}${"}".repeat(12)}`);
  });

  it("keeps an object of a class, a Map and an Error without the secrets in them, wherever else they are", async () => {
    await using bench = await startBench();
    const shared = { password: "plain" };
    class Client {
      readonly options: object = { password: 4711, shared, retries: 2 };
      readonly sessions: Map<string, object> = new Map([["a", { accessToken: "t0k3n", at: 1 }]]);
      readonly seen: Set<object> = new Set([{ secret: "s3cr3t", at: 2 }]);
      readonly failure: Error = Object.assign(new Error("late"), {
        headers: { "x-a": "b" },
        status: 500,
      });
    }
    await made({ before: shared, client: new Client(), after: shared }).invoke(
      {},
      { callbacks: [bench.handler] },
    );
    const hidden = "[REDACTED]";
    expect(bench.content(only(await bench.entries())).output).toEqual({
      before: { password: "plain" },
      client: {
        options: { password: hidden, shared: { password: hidden }, retries: 2 },
        sessions: { a: { accessToken: hidden, at: 1 } },
        seen: [{ secret: hidden, at: 2 }],
        failure: { name: "Error", message: "late", headers: hidden, status: 500 },
      },
      after: { password: "plain" },
    });
  });
});
