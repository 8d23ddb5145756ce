import { describe, expect, it } from "vitest";
import { OPTIONS, post, surfaceFor } from "./wire.ts";

describe("moderations", () => {
  const request = post("/moderations", { model: "omni-moderation-latest", input: "I hate you" });
  const moderations = surfaceFor(request);

  it("hold input and results; flagged is a finding, not a block", () => {
    expect(moderations.request(request, OPTIONS)).toMatchObject({
      operation: "moderations",
      input: "I hate you",
    });
    const results = [
      {
        flagged: true,
        categories: { hate: true, violence: false },
        category_scores: { hate: 0.9 },
      },
    ];
    const fields = moderations.response({ id: "modr-1", model: "omni", results }, OPTIONS);
    expect(fields).toEqual({
      output: results,
      responseId: "modr-1",
      responseModel: "omni",
      safetyPassed: false,
      detectorsTriggered: ["openai:moderation", "openai:moderation:hate"],
      safetyChecks: ["openai:moderation"],
    });
  });

  it("pass when nothing is flagged", () => {
    const fields = moderations.response(
      { results: [{ flagged: false, categories: { hate: false } }] },
      OPTIONS,
    );
    expect(fields).not.toHaveProperty("safetyPassed");
    expect(fields.safetyChecks).toEqual(["openai:moderation"]);
  });
});
