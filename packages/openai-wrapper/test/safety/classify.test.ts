import { describe, expect, it } from "vitest";
import { classifySafety } from "../../src/safety/classify.ts";
import { SAFETY_CODES } from "@ai-audit/core";

const passed = { filtered: false, severity: "safe" };
const stopped = { filtered: true, severity: "high" };
const choice = (more: object): object => ({
  index: 0,
  finish_reason: "stop",
  message: { content: "x" },
  ...more,
});

interface Case {
  readonly name: string;
  readonly body?: unknown;
  readonly error?: unknown;
  readonly blocked?: "input" | "output";
  readonly reason?: string;
  readonly triggered?: readonly string[];
  readonly checks?: readonly string[];
}

/** One row for each place where a provider says something about safety, in the shape it was recorded in. */
const CASES: readonly Case[] = [
  { name: "nothing at all", body: { choices: [choice({})] } },
  {
    name: "chat: finish_reason content_filter",
    body: { choices: [choice({ finish_reason: "content_filter" })] },
    blocked: "output",
    reason: "content_filter",
    triggered: ["openai:content_filter"],
    checks: ["openai:content_filter"],
  },
  {
    name: "chat: message.refusal",
    body: { choices: [choice({ message: { content: null, refusal: "I'm sorry." } })] },
    blocked: "output",
    reason: "refusal",
    triggered: ["openai:refusal"],
    checks: ["openai:refusal"],
  },
  {
    name: "chat: moderation of input and output",
    body: {
      choices: [choice({})],
      moderation: {
        input: {
          type: "moderation_results",
          results: [{ flagged: true, categories: { violence: true, hate: false } }],
        },
        output: {
          type: "moderation_results",
          results: [{ flagged: false, categories: { violence: false } }],
        },
      },
    },
    triggered: ["openai:moderation", "openai:moderation:violence"],
    checks: ["openai:moderation"],
  },
  {
    name: "Responses: incomplete by the content filter",
    body: { status: "incomplete", incomplete_details: { reason: "content_filter" }, output: [] },
    blocked: "output",
    reason: "content_filter",
    triggered: ["openai:content_filter"],
    checks: ["openai:content_filter"],
  },
  {
    name: "Responses: incomplete for another reason",
    body: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [] },
  },
  ...[
    "invalid_prompt",
    "bio_policy",
    "misalignment_policy_violation",
    "image_content_policy_violation",
  ].map((code): Case => ({
    name: `Responses: failed with ${code}`,
    body: { status: "failed", error: { code, message: "x" }, output: [] },
    blocked: "input",
    reason: code,
    triggered: [`openai:${code}`],
    checks: [`openai:${code}`],
  })),
  {
    name: "Responses: failed otherwise",
    body: { status: "failed", error: { code: "server_error" }, output: [] },
  },
  {
    name: "Responses: a refusal among the output",
    body: {
      status: "completed",
      output: [{ type: "message", content: [{ type: "refusal", refusal: "No" }] }],
    },
    blocked: "output",
    reason: "refusal",
    triggered: ["openai:refusal"],
    checks: ["openai:refusal"],
  },
  {
    name: "Responses: moderation",
    body: {
      output: [],
      moderation: {
        input: { type: "moderation_result", flagged: false, categories: {}, model: "m" },
        output: {
          type: "moderation_result",
          flagged: true,
          categories: { "self-harm": true },
          model: "m",
        },
      },
    },
    triggered: ["openai:moderation", "openai:moderation:self-harm"],
    checks: ["openai:moderation"],
  },
  {
    name: "Responses: an image that moderation stopped",
    body: {
      status: "completed",
      output: [
        {
          type: "image_generation_call",
          status: "failed",
          error: {
            code: "moderation_blocked",
            message: "x",
            moderation_details: { categories: ["sexual"], moderation_stage: "output" },
          },
        },
      ],
    },
    blocked: "output",
    reason: "moderation_blocked, sexual",
    triggered: ["openai:moderation_blocked", "openai:moderation:sexual"],
    checks: ["openai:moderation_blocked", "openai:moderation"],
  },
  {
    name: "Responses on Azure: content_filters of the prompt",
    body: {
      status: "incomplete",
      output: [],
      content_filters: [
        {
          blocked: true,
          source_type: "prompt",
          content_filter_results: { jailbreak: { filtered: true, detected: true } },
        },
        { blocked: false, source_type: "completion", content_filter_results: { hate: passed } },
      ],
    },
    blocked: "input",
    reason: "jailbreak, content_filter",
    triggered: ["azure:jailbreak", "openai:content_filter"],
    checks: ["azure:content_filter", "openai:content_filter"],
  },
  {
    name: "Azure 200: everything passed",
    body: {
      choices: [choice({ content_filter_results: { hate: passed, violence: passed } })],
      prompt_filter_results: [
        {
          prompt_index: 0,
          content_filter_results: { hate: passed, jailbreak: { filtered: false, detected: false } },
        },
      ],
    },
    checks: ["azure:content_filter"],
  },
  {
    name: "Azure 200: a severity that was let pass",
    body: {
      choices: [
        choice({ content_filter_results: { violence: { filtered: false, severity: "medium" } } }),
      ],
    },
    checks: ["azure:content_filter"],
  },
  {
    name: "Azure 200: an answer that was filtered",
    body: {
      choices: [
        choice({
          finish_reason: "content_filter",
          content_filter_results: { violence: stopped, hate: passed },
        }),
      ],
    },
    blocked: "output",
    reason: "content_filter, violence",
    triggered: ["openai:content_filter", "azure:violence"],
    checks: ["openai:content_filter", "azure:content_filter"],
  },
  {
    name: "Azure 200: detected and not filtered is a finding",
    body: {
      choices: [
        choice({
          content_filter_results: {
            protected_material_code: { filtered: false, detected: true, citation: {} },
          },
        }),
      ],
    },
    triggered: ["azure:protected_material_code"],
    checks: ["azure:content_filter"],
  },
  {
    name: "Azure 200: the customer's own lists, as an object",
    body: {
      choices: [choice({})],
      prompt_filter_results: [
        {
          content_filter_results: {
            custom_blocklists: { filtered: true, details: [{ filtered: true, id: "mine" }] },
          },
        },
      ],
    },
    blocked: "input",
    reason: "custom_blocklists",
    triggered: ["azure:custom_blocklists"],
    checks: ["azure:content_filter"],
  },
  {
    name: "Azure 200: the customer's own lists, as an array of an older version",
    body: {
      choices: [
        choice({ content_filter_results: { custom_blocklists: [{ filtered: true, id: "mine" }] } }),
      ],
    },
    blocked: "output",
    reason: "custom_blocklists",
    triggered: ["azure:custom_blocklists"],
    checks: ["azure:content_filter"],
  },
  {
    name: "Azure 200: images",
    body: {
      created: 1,
      data: [
        {
          url: "x",
          prompt_filter_results: { hate: passed },
          content_filter_results: { sexual: passed },
        },
      ],
    },
    checks: ["azure:content_filter"],
  },
  {
    name: "Azure 400: categories under innererror",
    error: {
      message: "The response was filtered",
      type: null,
      param: "prompt",
      code: "content_filter",
      status: 400,
      innererror: {
        code: "ResponsibleAIPolicyViolation",
        content_filter_result: {
          hate: passed,
          jailbreak: { filtered: true, detected: true },
          violence: stopped,
        },
      },
    },
    blocked: "input",
    reason: "content_filter, ResponsibleAIPolicyViolation, jailbreak, violence",
    triggered: [
      "openai:content_filter",
      "openai:ResponsibleAIPolicyViolation",
      "azure:jailbreak",
      "azure:violence",
    ],
    checks: [
      "openai:content_filter",
      "openai:ResponsibleAIPolicyViolation",
      "azure:content_filter",
    ],
  },
  {
    name: "Azure 400: images, under inner_error",
    error: {
      code: "content_policy_violation",
      message: "x",
      inner_error: {
        code: "ResponsibleAIPolicyViolation",
        content_filter_results: { sexual: stopped },
        revised_prompt: "secret prompt",
      },
    },
    blocked: "input",
    reason: "content_policy_violation, ResponsibleAIPolicyViolation, sexual",
    triggered: [
      "openai:content_policy_violation",
      "openai:ResponsibleAIPolicyViolation",
      "azure:sexual",
    ],
    checks: [
      "openai:content_policy_violation",
      "openai:ResponsibleAIPolicyViolation",
      "azure:content_filter",
    ],
  },
  ...["content_filter", "content_policy_violation", "cyber_policy"].map((code): Case => ({
    name: `OpenAI 400: ${code}`,
    checks: [`openai:${code}`],
    error: { code, type: "invalid_request_error", message: "x", param: null },
    blocked: "input",
    reason: code,
    triggered: [`openai:${code}`],
  })),
  {
    name: "OpenAI 400: moderation_blocked with its details",
    error: {
      code: "moderation_blocked",
      type: "image_generation_user_error",
      moderation_details: { moderation_stage: "input", categories: ["violence"] },
    },
    blocked: "input",
    reason: "moderation_blocked, violence",
    triggered: ["openai:moderation_blocked", "openai:moderation:violence"],
    checks: ["openai:moderation_blocked", "openai:moderation"],
  },
  {
    name: "a policy code that nobody knows is suspected, and no block",
    error: { code: "weapons_policy_violation", message: "x" },
    triggered: ["openai:suspected:weapons_policy_violation"],
    checks: ["openai:policy"],
  },
  { name: "an error of another kind", error: { code: "rate_limit_exceeded", message: "x" } },
];

function member(metadata: object | undefined, name: string): unknown {
  return metadata && Reflect.get(metadata, name);
}

describe("the safety classifier", () => {
  it.each(CASES)("$name", ({ body, error, blocked, reason, triggered, checks }) => {
    const fields = classifySafety({ body, error });
    expect(fields.safetyPassed).toBe(triggered === undefined ? undefined : false);
    expect(fields.outcome).toBe(blocked === undefined ? undefined : "blocked");
    expect(fields.blockReason).toBe(reason);
    expect(member(fields.metadata, "blocked_at")).toBe(blocked);
    expect(fields.detectorsTriggered).toEqual(triggered);
    expect(fields.safetyChecks).toEqual(checks);
  });

  it("keeps the raw verdicts in metadata.safety, and no content", () => {
    const body = {
      choices: [choice({ content_filter_results: { hate: passed } })],
      prompt_filter_results: [{ prompt_index: 0, content_filter_results: { hate: stopped } }],
      moderation: {
        input: { results: [{ flagged: false, categories: {}, category_scores: { hate: 0.1 } }] },
      },
    };
    expect(member(classifySafety({ body }).metadata, "safety")).toEqual({
      prompt_filter_results: body.prompt_filter_results,
      moderation: body.moderation,
      content_filter_results: [{ hate: passed }],
    });
    const error = {
      code: "content_policy_violation",
      inner_error: { content_filter_results: { sexual: stopped }, revised_prompt: "secret prompt" },
    };
    expect(member(classifySafety({ error }).metadata, "safety")).toEqual({
      content_filter_result: { sexual: stopped },
    });
  });

  it("does not call a call blocked when one choice of several was", () => {
    const body = { choices: [choice({ finish_reason: "content_filter" }), choice({})] };
    expect(classifySafety({ body })).toMatchObject({
      safetyPassed: false,
      blockReason: "content_filter",
    });
    expect(classifySafety({ body })).not.toHaveProperty("outcome");
    const both = {
      choices: [
        choice({ finish_reason: "content_filter" }),
        choice({ message: { refusal: "No" } }),
      ],
    };
    expect(classifySafety({ body: both }).outcome).toBe("blocked");
  });

  it("says that a filter did not run, and does not list it as a check that did", () => {
    const results = {
      error: { code: "content_filter_error", message: "The contents are not filtered" },
    };
    const fields = classifySafety({
      body: { choices: [choice({ content_filter_results: results })] },
    });
    expect(fields.alerts).toEqual(["ai-audit: azure:content_filter (output) did not run"]);
    expect(fields).not.toHaveProperty("safetyChecks");
    const moderation = { input: { type: "error", code: "timeout", message: "x" } };
    expect(classifySafety({ body: { moderation } }).alerts).toEqual([
      "ai-audit: openai:moderation (input) did not run",
    ]);
  });

  it("takes an application's own codes instead of the usual ones", () => {
    const codes = { blocking: [...SAFETY_CODES.blocking, "house_rule"], suspected: undefined };
    expect(classifySafety({ error: { code: "house_rule" } }, codes).outcome).toBe("blocked");
    expect(classifySafety({ error: { code: "weapons_policy" } }, codes)).toEqual({});
  });

  it.each([
    ["null", null],
    ["a string", "blocked"],
    ["choices that are a string", { choices: "none" }],
    ["a category that is a string", { choices: [{ content_filter_results: { hate: "yes" } }] }],
    [
      "results that are null",
      { prompt_filter_results: null, moderation: null, content_filters: null },
    ],
    ["a refusal that is no text", { choices: [{ message: { refusal: {} } }] }],
  ])("reads odd payloads as nothing said: %s", (_, body) => {
    expect(classifySafety({ body })).not.toHaveProperty("safetyPassed");
    expect(classifySafety({ error: body })).not.toHaveProperty("safetyPassed");
  });
});
