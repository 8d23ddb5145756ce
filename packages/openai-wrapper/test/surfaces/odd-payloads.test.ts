// No payload may cost a call its entry: each member of recorded payloads, replaced by what does not
// belong there.
import { describe, expect, it } from "vitest";
import { classifySafety } from "@ai-audit/core/capture";
import { collect, OPTIONS, post, surfaceFor } from "./wire.ts";

const usage = {
  prompt_tokens: 1,
  completion_tokens: 2,
  input_tokens: 1,
  output_tokens: 2,
  prompt_tokens_details: { cached_tokens: 1 },
  output_tokens_details: { reasoning_tokens: 1 },
};
const logprobs = { content: [{ token: "a", logprob: -1 }], refusal: null };
const filter = {
  hate: { filtered: true, severity: "high" },
  custom_blocklists: [{ filtered: false, id: "x" }],
};
const toolCalls = [
  { index: 0, id: "c", type: "function", function: { name: "f", arguments: "{}" } },
];
const message = {
  role: "assistant",
  content: "a",
  refusal: "no",
  tool_calls: toolCalls,
  audio: { id: "a", data: "YWJj", transcript: "t" },
};
const item = {
  type: "message",
  content: [{ type: "output_text", text: "a", annotations: [], logprobs: [{ token: "a" }] }],
};
const response = {
  id: "r",
  model: "m",
  status: "failed",
  error: {
    code: "bio_policy",
    message: "x",
    moderation_details: { categories: ["a"], moderation_stage: "output" },
  },
  incomplete_details: { reason: "content_filter" },
  output: [
    item,
    { type: "image_generation_call", result: "YWJj", error: { code: "moderation_blocked" } },
  ],
  content_filters: [{ blocked: true, source_type: "prompt", content_filter_results: filter }],
  moderation: {
    input: { flagged: true, categories: { a: true } },
    output: { results: [{ flagged: false }] },
  },
  usage,
};
const run = {
  id: "run",
  thread_id: "t",
  status: "failed",
  last_error: { code: "server_error", message: "x" },
  required_action: { type: "submit_tool_outputs" },
  usage,
};

interface Sample {
  readonly path: string;
  readonly request: unknown;
  readonly response: unknown;
  readonly events?: readonly unknown[];
}

const SAMPLES: readonly Sample[] = [
  {
    path: "/chat/completions",
    request: {
      model: "m",
      messages: [
        {
          role: "user",
          content: [{ type: "image_url", image_url: { url: "data:image/png;base64,YQ==" } }],
        },
      ],
      tools: [
        { type: "function", function: { name: "f" } },
        { type: "mcp", headers: { a: "b" } },
      ],
      tool_choice: { function: { name: "f" } },
      response_format: { type: "json_object" },
    },
    response: {
      id: "c",
      model: "m",
      choices: [
        { index: 0, finish_reason: "stop", message, logprobs, content_filter_results: filter },
      ],
      prompt_filter_results: [{ prompt_index: 0, content_filter_results: filter }],
      usage,
    },
    events: [
      {
        id: "c",
        model: "m",
        choices: [
          {
            index: 0,
            delta: message,
            logprobs,
            finish_reason: null,
            content_filter_results: filter,
          },
        ],
        prompt_filter_results: [{ content_filter_results: filter }],
      },
      {
        choices: [
          { index: 0, delta: { content: "b", tool_calls: toolCalls }, finish_reason: "stop" },
        ],
        usage,
      },
    ],
  },
  {
    path: "/responses",
    request: {
      model: "m",
      input: [{ role: "user", content: "a" }],
      text: { format: { type: "json_schema" } },
    },
    response,
    events: [
      { type: "response.created", response },
      { type: "response.output_item.added", output_index: 0, item },
      { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "a" },
      { type: "response.refusal.done", output_index: 1, content_index: 0, refusal: "a" },
      { type: "response.output_item.done", output_index: 0, item },
      { type: "error", code: "x", message: "y" },
      { type: "response.completed", response },
    ],
  },
  {
    path: "/completions",
    request: { model: "m", prompt: ["a"], suffix: "b" },
    response: {
      id: "c",
      choices: [{ text: "a", index: 0, finish_reason: "stop", logprobs: { tokens: ["a"] } }],
      usage,
    },
    events: [
      {
        id: "c",
        choices: [{ text: "a", index: 0, finish_reason: "stop", logprobs: { tokens: ["a"] } }],
      },
    ],
  },
  {
    path: "/embeddings",
    request: { model: "m", input: ["a"] },
    response: {
      model: "m",
      data: [
        { embedding: [1, 2], index: 0 },
        { embedding: "AACAPw==", index: 1 },
      ],
      usage,
    },
  },
  {
    path: "/moderations",
    request: { input: [{ type: "text", text: "a" }] },
    response: {
      id: "m",
      results: [{ flagged: true, categories: { a: true }, category_scores: { a: 1 } }],
    },
  },
  {
    path: "/images/generations",
    request: { prompt: "a", output_format: "png" },
    response: {
      data: [{ b64_json: "YWJj", revised_prompt: "a", content_filter_results: filter }],
      usage,
      size: "1x1",
    },
    events: [
      { type: "image_generation.partial_image", b64_json: "YWJj", partial_image_index: 0 },
      {
        type: "image_generation.completed",
        b64_json: "YWJj",
        usage,
        output_format: "png",
        size: "1x1",
      },
    ],
  },
  {
    path: "/audio/speech",
    request: { input: "a", instructions: "b", response_format: "mp3" },
    response: { unexpected: true },
    events: [
      { type: "speech.audio.delta", audio: "YWJj" },
      { type: "speech.audio.done", usage },
    ],
  },
  {
    path: "/audio/transcriptions",
    request: { file: { name: "a" }, prompt: "b" },
    response: { text: "a", segments: [{ text: "a" }], logprobs: [{ token: "a" }], usage },
    events: [
      { type: "transcript.text.delta", delta: "a" },
      { type: "transcript.text.segment", id: "s", text: "a" },
      { type: "transcript.text.done", text: "a", logprobs: [{ token: "a" }], usage },
    ],
  },
  {
    path: "/files",
    request: { purpose: "batch" },
    response: { id: "f", status: "failed", error: { code: "x" } },
  },
  {
    path: "/threads/t/runs",
    request: { assistant_id: "a", additional_messages: [{ role: "user", content: "a" }] },
    response: run,
    events: [
      { event: "thread.run.created", data: run },
      {
        event: "thread.message.delta",
        data: { id: "m", delta: { content: [{ index: 0, text: { value: "a" } }] } },
      },
      {
        event: "thread.message.completed",
        data: { id: "n", role: "assistant", content: [{ text: { value: "a" } }] },
      },
      { event: "thread.run.completed", data: run },
      { event: "error", data: { error: { code: "x" } } },
    ],
  },
];

const ODD: readonly unknown[] = [
  null,
  undefined,
  "odd",
  "",
  -1,
  1.5,
  true,
  [],
  {},
  [null],
  [[]],
  { odd: [null] },
];

/** Every way to replace one value within another, itself included. */
function* replacements(value: unknown): Generator {
  yield* ODD;
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    for (const odd of replacements(member)) {
      yield Array.isArray(value)
        ? Object.assign([...(value as readonly unknown[])], { [key]: odd })
        : { ...value, [key]: odd };
    }
  }
}

/** Not even the guard is needed: it would cost all fields because of one. */
function problemsOf(fields: {
  readonly alerts?: readonly string[] | undefined;
}): readonly string[] {
  return (fields.alerts ?? []).filter((alert) => alert.includes("could not be read"));
}

describe.each(SAMPLES)(
  "the surface of $path reads on when one value is odd",
  ({ path, request, response: body, events }) => {
    const surface = surfaceFor(post(path));

    it("in the request", () => {
      const problems = [...replacements(request)].flatMap((odd) =>
        problemsOf(surface.request(post(path, odd), OPTIONS)),
      );
      expect(problems).toEqual([]);
    });

    it("in the response", () => {
      const all = [
        OPTIONS,
        { ...OPTIONS, captureLogprobs: true, captureEmbeddings: true, maxContentBytes: 3 },
      ];
      const problems = [...replacements(body)].flatMap((odd) =>
        all.flatMap((options) =>
          problemsOf(surface.response(odd, options, surface.mimeOf(post(path, request)))),
        ),
      );
      expect(problems).toEqual([]);
    });

    it("in an event of the stream", () => {
      const all = [OPTIONS, { ...OPTIONS, captureLogprobs: true, maxContentBytes: 3 }];
      const problems = [...replacements(events ?? [body])].flatMap((odd) =>
        all.flatMap((options) =>
          problemsOf(
            collect(post(path, request), Array.isArray(odd) ? odd : [odd], options).result(),
          ),
        ),
      );
      expect(problems).toEqual([]);
    });
  },
);

it("the classifier reads on when one value of an error is odd", () => {
  const error = {
    code: "content_filter",
    innererror: { code: "ResponsibleAIPolicyViolation", content_filter_result: filter },
    moderation_details: { categories: ["a"], moderation_stage: "input" },
  };
  for (const odd of replacements(error)) expect(() => classifySafety({ error: odd })).not.toThrow();
});
