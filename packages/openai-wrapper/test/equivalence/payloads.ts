// What the provider says in these tests.

export function completion(
  content: string | null = "Hi.",
  more: object = {},
): Record<string, unknown> {
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "gpt-5-2025",
    choices: [
      {
        index: 0,
        finish_reason: "stop",
        logprobs: null,
        message: { role: "assistant", content, refusal: null },
      },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    ...more,
  };
}

export function toolCall(name: string, args: string, id = "call_1"): Record<string, unknown> {
  return completion(null, {
    choices: [
      {
        index: 0,
        finish_reason: "tool_calls",
        logprobs: null,
        message: {
          role: "assistant",
          content: null,
          refusal: null,
          tool_calls: [{ id, type: "function", function: { name, arguments: args } }],
        },
      },
    ],
  });
}

export function chunk(
  delta: object,
  finish: string | null = null,
  more: object = {},
): Record<string, unknown> {
  return {
    id: "chatcmpl-2",
    object: "chat.completion.chunk",
    created: 1,
    model: "gpt-5-2025",
    choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
    ...more,
  };
}

/** "Hello, world" in pieces. */
export const chunks: readonly Record<string, unknown>[] = [
  chunk({ role: "assistant", content: "" }),
  chunk({ content: "Hello" }),
  chunk({ content: ", " }),
  chunk({ content: "world" }),
  chunk({}, "stop"),
];

export function toolChunks(
  name: string,
  args: readonly string[],
): readonly Record<string, unknown>[] {
  const [first = "", ...rest] = args;
  return [
    chunk({
      role: "assistant",
      content: null,
      tool_calls: [
        { index: 0, id: "call_1", type: "function", function: { name, arguments: first } },
      ],
    }),
    ...rest.map((piece) => chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
    chunk({}, "tool_calls"),
  ];
}

export function response(text = "Hi.", more: object = {}): Record<string, unknown> {
  return {
    id: "resp_1",
    object: "response",
    created_at: 1,
    status: "completed",
    model: "gpt-5-2025",
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    output: [
      {
        id: "msg_1",
        type: "message",
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text, annotations: [] }],
      },
    ],
    usage: {
      input_tokens: 3,
      input_tokens_details: { cached_tokens: 1 },
      output_tokens: 2,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 5,
    },
    ...more,
  };
}

/** The Responses API's events of "Hello". */
export function responseEvents(): readonly Record<string, unknown>[] {
  const item = {
    id: "msg_1",
    type: "message",
    status: "in_progress",
    role: "assistant",
    content: [],
  };
  const part = { type: "output_text", text: "", annotations: [] };
  const at = { item_id: "msg_1", output_index: 0, content_index: 0 };
  const all: Record<string, unknown>[] = [
    {
      type: "response.created",
      response: response("", { status: "in_progress", output: [], usage: null }),
    },
    { type: "response.output_item.added", output_index: 0, item },
    { type: "response.content_part.added", ...at, part },
    { type: "response.output_text.delta", ...at, delta: "Hel", logprobs: [] },
    { type: "response.output_text.delta", ...at, delta: "lo", logprobs: [] },
    { type: "response.output_text.done", ...at, text: "Hello", logprobs: [] },
    { type: "response.content_part.done", ...at, part: { ...part, text: "Hello" } },
    {
      type: "response.output_item.done",
      output_index: 0,
      item: { ...item, status: "completed", content: [{ ...part, text: "Hello" }] },
    },
    { type: "response.completed", response: response("Hello") },
  ];
  return all.map((event, index) => ({ ...event, sequence_number: index }));
}
