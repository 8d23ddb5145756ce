import { describe } from "vitest";
import { type Case, choice, itClassifies } from "./classify-case.ts";

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
    name: "a policy code that nobody knows is suspected, and no block",
    error: { code: "weapons_policy_violation", message: "x" },
    triggered: ["openai:suspected:weapons_policy_violation"],
    checks: ["openai:policy"],
  },
  { name: "an error of another kind", error: { code: "rate_limit_exceeded", message: "x" } },
];

describe("the safety classifier on OpenAI's answers", () => {
  itClassifies(CASES);
});
