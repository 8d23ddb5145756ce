// Messages of the provider in these tests.

export const hello = {
  model: "claude-opus-5",
  max_tokens: 64,
  messages: [{ role: "user" as const, content: "Hello!" }],
};

export function message(
  content: string | readonly unknown[] = "Hi.",
  more: object = {},
): Record<string, unknown> {
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-opus-5-2026",
    content: typeof content === "string" ? [{ type: "text", text: content }] : content,
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: {
      input_tokens: 3,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 2,
      service_tier: "standard",
    },
    ...more,
  };
}

export const toolUse = {
  type: "tool_use",
  id: "toolu_1",
  name: "weather",
  input: { city: "Bern" },
};

export function started(more: object = {}): Record<string, unknown> {
  const { content: _, ...rest } = message("", { stop_reason: null, ...more });
  return { type: "message_start", message: { ...rest, content: [] } };
}

export function delta(index: number, what: object): Record<string, unknown> {
  return { type: "content_block_delta", index, delta: what };
}

export function textDelta(text: string, index = 0): Record<string, unknown> {
  return delta(index, { type: "text_delta", text });
}

export function block(index: number, content: object): Record<string, unknown> {
  return { type: "content_block_start", index, content_block: content };
}

export function stop(index: number): Record<string, unknown> {
  return { type: "content_block_stop", index };
}

export function ended(reason: string, more: object = {}): readonly Record<string, unknown>[] {
  return [
    {
      type: "message_delta",
      delta: { stop_reason: reason, stop_sequence: null, ...more },
      usage: { output_tokens: 7 },
    },
    { type: "message_stop" },
  ];
}

/** "Hello, world" in pieces. */
export const helloEvents: readonly Record<string, unknown>[] = [
  started(),
  block(0, { type: "text", text: "" }),
  { type: "ping" },
  textDelta("Hello"),
  textDelta(", "),
  textDelta("world"),
  stop(0),
  ...ended("end_turn"),
];

export const toolEvents: readonly Record<string, unknown>[] = [
  started(),
  block(0, { type: "text", text: "" }),
  textDelta("Let me look."),
  stop(0),
  block(1, { type: "tool_use", id: "toolu_1", name: "weather", input: {} }),
  delta(1, { type: "input_json_delta", partial_json: "" }),
  delta(1, { type: "input_json_delta", partial_json: '{"ci' }),
  delta(1, { type: "input_json_delta", partial_json: 'ty":"Bern"}' }),
  stop(1),
  ...ended("tool_use"),
];

export function failure(type: string, text = "No."): Record<string, unknown> {
  return { type: "error", error: { type, message: text }, request_id: "req_1" };
}
