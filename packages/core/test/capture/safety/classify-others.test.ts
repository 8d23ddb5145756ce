import { describe } from "vitest";
import { type Case, choice, itClassifies } from "./classify-case.ts";

const CASES: readonly Case[] = [
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
];

describe("the safety classifier on other providers' answers", () => {
  itClassifies(CASES);
});
