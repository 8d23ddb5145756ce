import { describe, expect, test } from "vitest";
import { Transcript } from "../../src/reading/transcript.ts";

const user = (content: string): { role: string; content: string } => ({ role: "user", content });
const assistant = (content: string): { role: string; content: string } => ({
  role: "assistant",
  content,
});

describe("A transcript", () => {
  test("tells messages once that each call sends again", () => {
    const transcript = new Transcript();
    expect(transcript.add([user("a")], "b")).toEqual([
      { role: "user", text: "a" },
      { role: "assistant", text: "b" },
    ]);
    expect(transcript.add([user("a"), assistant("b"), user("c")], "d")).toEqual([
      { role: "user", text: "c" },
      { role: "assistant", text: "d" },
    ]);
    expect(
      transcript.add([user("a"), assistant("b"), user("c"), assistant("d"), user("e")], "f"),
    ).toHaveLength(2);
  });

  test("tells a repeated question again when it was asked again", () => {
    const transcript = new Transcript();
    transcript.add("yes?", "no");
    expect(transcript.add("yes?", "no")).toHaveLength(2);
  });

  test("tells everything of a call whose history is another", () => {
    const transcript = new Transcript();
    transcript.add([user("a")], "b");
    expect(transcript.add([user("x"), assistant("y"), user("z")], "w")).toHaveLength(4);
  });

  test("reads requests with more than messages, text parts and tool calls", () => {
    const parts = [{ type: "text", text: "look" }, { type: "image_url" }];
    const call = { role: "assistant", content: null, tool_calls: [{ name: "f" }] };
    expect(
      new Transcript().add({ messages: [{ role: "user", content: parts }], tools: [] }, call),
    ).toEqual([
      { role: "user", text: 'look\n{\n  "type": "image_url"\n}' },
      { role: "assistant", text: '{\n  "name": "f"\n}' },
    ]);
  });

  test("shows any other content as JSON", () => {
    expect(new Transcript().add([1, 2], { a: true })).toEqual([
      { role: "user", text: "[\n  1,\n  2\n]" },
      { role: "assistant", text: '{\n  "a": true\n}' },
    ]);
  });
});
