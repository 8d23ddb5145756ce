import { describe } from "vitest";
import { type Case, choice, passed, stopped, itClassifies } from "./classify-case.ts";

const CASES: readonly Case[] = [
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
];

describe("the safety classifier on Azure's answers", () => {
  itClassifies(CASES);
});
