import { describe, expect, it } from "vitest";
import { collect, OPTIONS, post, surfaceFor } from "./wire.ts";

const run = (more: object = {}): object => ({
  id: "run_1",
  object: "thread.run",
  thread_id: "thread_1",
  model: "gpt-4.1-2026",
  status: "completed",
  instructions: "secret instructions",
  usage: { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 },
  ...more,
});
const delta = (value: string): object => ({
  event: "thread.message.delta",
  data: { id: "msg_1", delta: { content: [{ index: 0, type: "text", text: { value } }] } },
});

describe("runs of assistants", () => {
  const request = post("/threads/thread_1/runs", {
    assistant_id: "asst_1",
    model: "gpt-4.1",
    additional_messages: [{ role: "user", content: "Hi" }],
  });
  const runs = surfaceFor(request);

  it("hold what is added to the thread, and which thread it is", () => {
    expect(runs.request(request, OPTIONS)).toMatchObject({
      operation: "threads.runs.create",
      input: { additional_messages: [{ role: "user", content: "Hi" }] },
      model: "gpt-4.1",
      parameters: { assistant_id: "asst_1" },
      run: { threadId: "thread_1" },
    });
  });

  it.each([
    ["queued", { usage: null }, { output: "", finishReasons: ["queued"] }],
    ["completed", {}, { inputTokens: 5, outputTokens: 6, responseModel: "gpt-4.1-2026" }],
    ["failed", { last_error: { code: "server_error", message: "x" } }, { outcome: "error" }],
    ["cancelled", {}, { outcome: "aborted" }],
    ["expired", {}, { outcome: "timeout" }],
    ["incomplete", { incomplete_details: { reason: "content_filter" } }, { outcome: "blocked" }],
    [
      "requires_action",
      {
        required_action: {
          type: "submit_tool_outputs",
          submit_tool_outputs: { tool_calls: [{ id: "c" }] },
        },
      },
      {
        output: { type: "submit_tool_outputs", submit_tool_outputs: { tool_calls: [{ id: "c" }] } },
      },
    ],
  ])("say in which state they are: %s", (status, more, expected) => {
    expect(runs.response(run({ status, ...more }), OPTIONS)).toMatchObject({
      responseId: "run_1",
      run: { threadId: "thread_1" },
      ...expected,
    });
  });

  it("amount to the text of their message when they are streamed", () => {
    const collector = collect(request, [
      { event: "thread.run.created", data: run({ status: "queued", usage: null }) },
      { event: "thread.message.created", data: { id: "msg_1", content: [] } },
      delta("Hi "),
      delta("there"),
      {
        event: "thread.message.completed",
        data: { id: "msg_1", content: [{ type: "text", text: { value: "Hi there" } }] },
      },
    ]);
    expect(collector.terminal).toBe(false);
    collector.push({ event: "thread.run.completed", data: run() });
    expect(collector.terminal).toBe(true);
    expect(collector.result()).toMatchObject({
      output: "Hi there",
      inputTokens: 5,
      finishReasons: ["completed"],
    });
    expect(JSON.stringify(collector.result())).not.toContain("secret instructions");
  });

  it("hold the calls of tools that they wait for", () => {
    const required_action = {
      type: "submit_tool_outputs",
      submit_tool_outputs: { tool_calls: [{ id: "c" }] },
    };
    const collector = collect(request, [
      {
        event: "thread.run.requires_action",
        data: run({ status: "requires_action", required_action }),
      },
    ]);
    expect(collector.terminal).toBe(true);
    expect(collector.result().output).toEqual({ required_action });
  });

  it("hold a message put into a thread, and link it to the thread", () => {
    const sent = post("/threads/thread_1/messages", { role: "user", content: "Hi" });
    expect(surfaceFor(sent).request(sent, OPTIONS)).toMatchObject({
      input: "Hi",
      run: { threadId: "thread_1" },
    });
  });
});
