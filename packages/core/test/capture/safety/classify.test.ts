import { describe, expect, it } from "vitest";
import { classifySafety, SAFETY_CODES } from "../../../src/capture/safety/classify.ts";
import { choice, member, passed, stopped } from "./classify-case.ts";

describe("the safety classifier", () => {
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
