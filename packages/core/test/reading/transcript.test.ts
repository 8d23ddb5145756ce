import { describe, expect, it } from "vitest";
import { Transcript } from "../../src/reading/transcript.ts";

const user = (content: string): { role: string; content: string } => ({ role: "user", content });
const assistant = (content: string): { role: string; content: string } => ({
  role: "assistant",
  content,
});

describe("A transcript", () => {
  it("tells messages once that each call sends again", () => {
    const transcript = new Transcript();
    expect(transcript.add([user("a")], "b")).toMatchObject([
      { role: "user", text: "a" },
      { role: "assistant", text: "b" },
    ]);
    expect(transcript.add([user("a"), assistant("b"), user("c")], "d")).toMatchObject([
      { role: "user", text: "c" },
      { role: "assistant", text: "d" },
    ]);
    expect(
      transcript.add([user("a"), assistant("b"), user("c"), assistant("d"), user("e")], "f"),
    ).toHaveLength(2);
  });

  it("tells a repeated question again when it was asked again", () => {
    const transcript = new Transcript();
    transcript.add("yes?", "no");
    expect(transcript.add("yes?", "no")).toHaveLength(2);
  });

  it("tells everything of a call whose history is another", () => {
    const transcript = new Transcript();
    transcript.add([user("a")], "b");
    expect(transcript.add([user("x"), assistant("y"), user("z")], "w")).toHaveLength(4);
  });

  it("reads requests with more than messages, text parts and tool calls", () => {
    const parts = [{ type: "text", text: "look" }, { type: "image_url" }];
    const call = { role: "assistant", content: null, tool_calls: [{ name: "f" }] };
    expect(
      new Transcript().add({ messages: [{ role: "user", content: parts }], tools: [] }, call),
    ).toMatchObject([
      { role: "user", text: 'look\n{\n  "type": "image_url"\n}' },
      { role: "assistant", text: "", toolCalls: [{ name: "f", arguments: "{}" }] },
    ]);
  });

  it.each([
    [
      "Anthropic",
      { type: "tool_use", id: "t", name: "f", input: { a: 1 } },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "r" }] },
    ],
    [
      "the AI SDK",
      { type: "tool-call", toolCallId: "t", toolName: "f", input: '{"a":1}' },
      {
        role: "tool",
        content: [
          {
            type: "tool-result",
            toolCallId: "t",
            toolName: "f",
            output: { type: "text", value: "r" },
          },
        ],
      },
    ],
  ])("reads the parts of %s: tools that are asked for, and their results", (_, call, result) => {
    const transcript = new Transcript();
    const answer = [{ type: "text", text: "I look." }, call];
    expect(transcript.add("a", answer)).toMatchObject([
      { role: "user", text: "a" },
      {
        role: "assistant",
        text: "I look.",
        toolCalls: [{ id: "t", name: "f", arguments: '{"a":1}' }],
      },
    ]);
    const history = [user("a"), { role: "assistant", content: answer }, result];
    expect(transcript.add(history, "done")).toMatchObject([
      { role: "tool", text: "r", answers: "t" },
      { role: "assistant", text: "done" },
    ]);
  });

  it("goes on from the history that a call repeats, when calls of several agents are mixed", () => {
    const transcript = new Transcript();
    transcript.add([user("system a"), user("1")], "2", "a");
    transcript.add([user("system b"), user("3")], "4", "b");
    const fresh = transcript.add(
      [user("system a"), user("1"), assistant("2"), user("5")],
      "6",
      "a",
    );
    expect(fresh.map(({ text }) => text)).toEqual(["5", "6"]);
  });

  it("reads items of the Responses API", () => {
    const items = [
      { type: "function_call", call_id: "c", name: "f", arguments: '{"x":1}' },
      { type: "function_call_output", call_id: "c", output: "done" },
    ];
    expect(new Transcript().add({ input: items, instructions: "be brief" }, "ok")).toMatchObject([
      { role: "assistant", toolCalls: [{ id: "c", name: "f", arguments: '{"x":1}' }] },
      { role: "tool", text: "done", answers: "c" },
      { role: "assistant", text: "ok" },
    ]);
  });

  it("shows any other content as JSON", () => {
    expect(new Transcript().add([1, 2], { a: true })).toMatchObject([
      { role: "user", text: "[\n  1,\n  2\n]" },
      { role: "assistant", text: '{\n  "a": true\n}' },
    ]);
  });
});
