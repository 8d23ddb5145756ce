import { describe, expect, it } from "vitest";
import { json } from "@ai-audit/test-support/wire-server";
import { hello, lifecycleBench } from "./bench.ts";

const asks = {
  id: "chatcmpl-1",
  object: "chat.completion",
  model: "gpt-5",
  choices: [
    {
      index: 0,
      finish_reason: "tool_calls",
      message: {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "look", arguments: "{}" } },
        ],
      },
    },
  ],
};
const answers = {
  id: "chatcmpl-2",
  object: "chat.completion",
  model: "gpt-5",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Blue." } }],
};

describe("the calls of a loop of tools", () => {
  it("are linked: runTools()", async () => {
    const bench = await lifecycleBench([json(asks), json(answers)]);
    const runner = bench.client.chat.completions.runTools({
      ...hello,
      tools: [
        {
          type: "function",
          function: {
            name: "look",
            description: "Looks.",
            parameters: {},
            parse: JSON.parse,
            function: () => "blue",
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe("Blue.");
    const [first, second] = await bench.entries();
    expect(first?.run).toBeUndefined();
    expect(second?.run).toEqual({ continues: first?.id });
  });

  it("are linked over the Responses API", async () => {
    const call = { type: "function_call", call_id: "call_9", name: "look", arguments: "{}" };
    const body = { object: "response", model: "gpt-5", status: "completed" };
    const bench = await lifecycleBench([
      json({ ...body, id: "resp_1", output: [call] }),
      json({ ...body, id: "resp_2", output: [] }),
    ]);
    await bench.client.responses.create({ model: "gpt-5", input: "Look." });
    await bench.client.responses.create({
      model: "gpt-5",
      previous_response_id: "resp_1",
      input: [{ type: "function_call_output", call_id: "call_9", output: "blue" }],
    });
    const [first, second] = await bench.entries();
    expect(second?.run).toEqual({ continues: first?.id });
  });

  it("are not linked to calls that asked for nothing", async () => {
    const bench = await lifecycleBench([json(answers), json(answers)]);
    await bench.client.chat.completions.create(hello);
    await bench.client.chat.completions.create({
      model: "gpt-5",
      messages: [{ role: "tool", tool_call_id: "call_unknown", content: "blue" }],
    });
    expect((await bench.entries()).map(({ run }) => run)).toEqual([undefined, undefined]);
  });
});
