import { describe, expect, it } from "vitest";
import { classifySafety } from "../../../src/capture/safety/classify.ts";
import { SAFETY_CODES } from "../../../src/capture/safety/classify.ts";

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
  /** `untold`: blocked, on a side that the payload does not name. */
  readonly blocked?: "input" | "output" | "untold";
  readonly reason?: string;
  readonly triggered?: readonly string[];
  readonly checks?: readonly string[];
}

/**
 * One row for each place where a provider says something about safety, in the shape it was recorded
 * in.
 */
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
  ...["bio_policy", "misalignment_policy_violation", "image_content_policy_violation"].map(
    (code): Case => ({
      name: `Responses: failed with ${code}, on a side that nobody names`,
      body: { status: "failed", error: { code, message: "x" }, output: [] },
      blocked: "untold",
      reason: code,
      triggered: [`openai:${code}`],
      checks: [`openai:${code}`],
    }),
  ),
  {
    name: "Responses: failed with invalid_prompt",
    body: { status: "failed", error: { code: "invalid_prompt", message: "x" }, output: [] },
    blocked: "input",
    reason: "invalid_prompt",
    triggered: ["openai:invalid_prompt"],
    checks: ["openai:invalid_prompt"],
  },
  {
    name: "Responses: failed while it was answering",
    body: {
      status: "failed",
      error: { code: "bio_policy", message: "x" },
      output: [{ type: "message", content: [{ type: "output_text", text: "First mix" }] }],
    },
    blocked: "output",
    reason: "bio_policy",
    triggered: ["openai:bio_policy"],
    checks: ["openai:bio_policy"],
  },
  {
    name: "Responses: computer use that waits for a safety check",
    body: {
      status: "completed",
      output: [
        {
          type: "computer_call",
          pending_safety_checks: [{ id: "sc_1", code: "malicious_instructions", message: "x" }],
        },
      ],
    },
    triggered: ["openai:computer_safety:malicious_instructions"],
    checks: ["openai:computer_safety"],
  },
  {
    name: "Responses: misalignment, with the review that the provider asks for",
    body: {
      status: "failed",
      error: {
        code: "misalignment_policy_violation",
        misalignment: { error_type: "deception", review_target: "output", steer: "retry" },
      },
      output: [],
    },
    blocked: "untold",
    reason: "misalignment_policy_violation, deception",
    triggered: ["openai:misalignment_policy_violation", "openai:misalignment:deception"],
    checks: ["openai:misalignment_policy_violation", "openai:misalignment"],
  },
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
      "azure:ResponsibleAIPolicyViolation",
      "azure:jailbreak",
      "azure:violence",
    ],
    checks: ["openai:content_filter", "azure:ResponsibleAIPolicyViolation", "azure:content_filter"],
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
      "azure:ResponsibleAIPolicyViolation",
      "azure:sexual",
    ],
    checks: [
      "openai:content_policy_violation",
      "azure:ResponsibleAIPolicyViolation",
      "azure:content_filter",
    ],
  },
  ...["content_filter", "content_policy_violation", "cyber_policy"].map((code): Case => ({
    name: `OpenAI 400: ${code}`,
    checks: [`openai:${code}`],
    error: { code, type: "invalid_request_error", message: "x", param: null },
    blocked: "untold",
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
    name: "OpenAI 400: content_filter of the prompt",
    error: { code: "content_filter", type: null, message: "x", param: "prompt" },
    blocked: "input",
    reason: "content_filter",
    triggered: ["openai:content_filter"],
    checks: ["openai:content_filter"],
  },
  ...(
    [
      ["anthropic:refusal", { stop_reason: "refusal", content: [] }],
      ["bedrock:content_filtered", { stopReason: "content_filtered", output: {} }],
      ["gemini:SAFETY", { candidates: [{ finishReason: "SAFETY", index: 0 }] }],
      ["gemini:SAFETY", { choices: [choice({ native_finish_reason: "SAFETY" })] }],
      ["zhipu:sensitive", { choices: [choice({ finish_reason: "sensitive" })] }],
      ...["PROHIBITED_CONTENT", "content_filter: PROHIBITED_CONTENT"].map(
        (reason) =>
          ["gemini:PROHIBITED_CONTENT", { choices: [choice({ finish_reason: reason })] }] as const,
      ),
      [
        "openai:content_filter",
        { choices: [choice({ finish_reason: "content_filtercontent_filter" })] },
      ],
    ] as const
  ).map(([detector, body]): Case => ({
    name: `${detector}: an answer that ended so, ${JSON.stringify(body)}`,
    body,
    blocked: "output",
    reason: detector.slice(detector.indexOf(":") + 1),
    triggered: [detector],
    checks: [detector],
  })),
  {
    name: "Anthropic: a refusal with its category",
    body: {
      stop_reason: "refusal",
      stop_details: { type: "refusal", category: "cyber", explanation: "quotes the prompt" },
      content: [],
    },
    blocked: "output",
    reason: "refusal, cyber",
    triggered: ["anthropic:refusal", "anthropic:cyber"],
    checks: ["anthropic:refusal"],
  },
  {
    name: "Anthropic 400: a policy that only the message names",
    error: {
      type: "invalid_request_error",
      message: "Output blocked by content filtering policy",
    },
    blocked: "output",
    reason: "content_filtering_policy",
    triggered: ["anthropic:content_filtering_policy"],
    checks: ["anthropic:content_filtering_policy"],
  },
  ...["pause_turn", "model_context_window_exceeded", "end_turn", "max_tokens"].map(
    (reason): Case => ({ name: `Anthropic: ${reason}`, body: { stop_reason: reason } }),
  ),
  {
    name: "Gemini: a prompt that was blocked",
    body: {
      promptFeedback: {
        blockReason: "SOMETHING_NEW",
        safetyRatings: [
          { category: "HARM_CATEGORY_HARASSMENT", probability: "HIGH", blocked: true },
          { category: "HARM_CATEGORY_HATE_SPEECH", probability: "NEGLIGIBLE" },
        ],
      },
    },
    blocked: "input",
    reason: "SOMETHING_NEW, HARM_CATEGORY_HARASSMENT",
    triggered: ["gemini:SOMETHING_NEW", "gemini:HARM_CATEGORY_HARASSMENT"],
    checks: ["gemini:prompt_feedback", "gemini:safety_ratings"],
  },
  {
    name: "Gemini: ratings that let the answer pass",
    body: {
      candidates: [
        {
          finishReason: "STOP",
          safetyRatings: [{ category: "HARM_CATEGORY_HARASSMENT", probability: "LOW" }],
        },
      ],
    },
    checks: ["gemini:safety_ratings"],
  },
  {
    name: "Bedrock: a guardrail without its trace, which alone tells the side",
    body: { stopReason: "guardrail_intervened", output: {} },
    blocked: "untold",
    reason: "guardrail_intervened",
    triggered: ["bedrock:guardrail_intervened"],
    checks: ["bedrock:guardrail_intervened"],
  },
  {
    name: "Bedrock: what a guardrail assessed, blocked and anonymized",
    body: {
      stopReason: "guardrail_intervened",
      trace: {
        guardrail: {
          inputAssessment: {
            "gr-1": {
              topicPolicy: { topics: [{ name: "Weapons", type: "DENY", action: "BLOCKED" }] },
              wordPolicy: { customWords: [{ match: "quoted", action: "NONE" }] },
            },
          },
          outputAssessments: {
            "gr-1": [
              {
                sensitiveInformationPolicy: {
                  piiEntities: [{ match: "a@b.c", type: "EMAIL", action: "ANONYMIZED" }],
                },
              },
            ],
          },
        },
      },
    },
    blocked: "input",
    reason: "guardrail_intervened, topic:Weapons",
    triggered: ["bedrock:guardrail_intervened", "bedrock:topic:Weapons", "bedrock:pii:EMAIL"],
    checks: ["bedrock:guardrail_intervened", "bedrock:guardrail"],
  },
  {
    name: "Mistral 403: a guardrail",
    error: { object: "error", type: "guardrail_violation", message: "x" },
    blocked: "untold",
    reason: "guardrail_violation",
    triggered: ["mistral:guardrail_violation"],
    checks: ["mistral:guardrail_violation"],
  },
  {
    name: "OpenRouter 403: moderation, without the input that it quotes",
    error: {
      code: 403,
      message: "x",
      metadata: { reasons: ["violence"], flagged_input: "quoted", provider_name: "OpenAI" },
    },
    blocked: "input",
    reason: "violence",
    triggered: ["openrouter:moderation:violence"],
    checks: ["openrouter:moderation"],
  },
  ...["new_safety_reason", "GUARDRAIL_HIT", "unsafe_content"].map((reason): Case => ({
    name: `an unknown finish reason that speaks of safety is suspected: ${reason}`,
    body: { choices: [choice({ finish_reason: reason })] },
    triggered: [`openai:suspected:${reason}`],
    checks: ["openai:policy"],
  })),
  ...["stop", "length", "tool_calls", "eos", "STOP", "ECONNREFUSED", "rate_limit_exceeded"].map(
    (reason): Case => ({
      name: `an ordinary reason says nothing: ${reason}`,
      body: { choices: [choice({ finish_reason: reason })] },
    }),
  ),
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
    const side = blocked === "untold" ? undefined : blocked;
    expect(member(fields.metadata, "blocked_at")).toBe(side);
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

  it("keeps what quotes the content as content, and out of the clear fields", () => {
    const finding = { match: "ada@example.com", type: "EMAIL", action: "ANONYMIZED" };
    const assessment = { sensitiveInformationPolicy: { piiEntities: [finding] } };
    const trace = { guardrail: { inputAssessment: { "gr-1": assessment } } };
    const { diagnostics, ...clear } = classifySafety({ body: { stopReason: "end_turn", trace } });
    expect(JSON.stringify(clear)).not.toContain("ada@");
    expect(clear.metadata).toMatchObject({ modified_at: "input" });
    expect(diagnostics).toEqual({ assessments: { guardrail: trace.guardrail } });
    const details = { category: "cyber", explanation: "You asked for malware." };
    const refused = classifySafety({ body: { stop_reason: "refusal", stop_details: details } });
    expect(refused.diagnostics).toEqual({ blockMessage: "You asked for malware." });
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
