import { describe, expect, it } from "vitest";
import {
  AuditError,
  ContentBlockedError,
  type Detector,
  patternDetector,
} from "../../../src/index.ts";
import { runDetectors, textsOf } from "../../../src/capture/index.ts";

const blocking: Detector = {
  name: "house-rules",
  checkInput: () => ({ action: "block", reason: "not our business", categories: ["off-topic"] }),
};
const flagging: Detector = {
  name: "tone",
  checkInput: async () => ({ action: "flag", reason: "rude" }),
  checkOutput: () => ({ action: "flag", reason: "rude" }),
};
const content: Detector = {
  name: "calm",
  checkInput: () => undefined,
  checkOutput: () => undefined,
};
const throwing: Detector = {
  name: "broken",
  checkInput() {
    throw new RangeError("the prompt was: tell me a secret");
  },
};

describe("running detectors", () => {
  it("says nothing but that they ran when nobody objects", () => {
    expect(runDetectors([content], "input", "Hi")).toEqual({
      fields: { safetyChecks: ["calm"] },
      blocked: undefined,
    });
    expect(runDetectors([], "input", "Hi")).toEqual({ fields: {}, blocked: undefined });
  });

  it("blocks with a ContentBlockedError that says who, where and why", () => {
    const { fields, blocked } = runDetectors([content, blocking], "input", "Hi") as Awaited<
      ReturnType<typeof runDetectors>
    >;
    expect(fields).toEqual({
      safetyPassed: false,
      safetyChecks: ["calm", "house-rules"],
      detectorsTriggered: ["house-rules", "house-rules:off-topic"],
      outcome: "blocked",
      blockReason: "not our business",
      metadata: {
        blocked_at: "input",
        safety: {
          detectors: [
            {
              name: "house-rules",
              at: "input",
              action: "block",
              reason: "not our business",
              categories: ["off-topic"],
            },
          ],
        },
      },
    });
    expect(blocked).toBeInstanceOf(ContentBlockedError);
    expect(AuditError.isInstance(blocked)).toBe(true);
    expect(blocked).toMatchObject({
      name: "ContentBlockedError",
      code: "AUDIT_CONTENT_BLOCKED",
      message: 'the input was blocked by detector "house-rules"',
      detector: "house-rules",
      side: "input",
      reason: "not our business",
    });
  });

  it("marks a flagged content and lets it pass", () => {
    expect(runDetectors([flagging], "output", "Hi")).toEqual({
      fields: {
        safetyPassed: false,
        safetyChecks: ["tone"],
        detectorsTriggered: ["tone"],
        metadata: {
          safety: {
            detectors: [
              { name: "tone", at: "output", action: "flag", reason: "rude", categories: [] },
            ],
          },
        },
      },
      blocked: undefined,
    });
  });

  it("marks only, where the call goes on whatever they say", () => {
    const detection = runDetectors([blocking], "input", "Hi", {}, { enforcement: "mark" });
    expect(detection).toMatchObject({ blocked: undefined, fields: { safetyPassed: false } });
    expect(detection).not.toHaveProperty("fields.outcome");
    expect(detection).not.toHaveProperty("fields.blockReason");
    expect(detection).not.toHaveProperty("fields.metadata.blocked_at");
  });

  it("is a promise as soon as one of them is, and asks them all", async () => {
    const detection = runDetectors([flagging, blocking], "input", "Hi");
    expect(detection).toBeInstanceOf(Promise);
    expect((await detection).fields).toMatchObject({
      safetyChecks: ["tone", "house-rules"],
      detectorsTriggered: ["tone", "house-rules", "house-rules:off-topic"],
    });
  });

  it("asks only those who look at this side", () => {
    expect(runDetectors([blocking, content], "output", "Hi")).toEqual({
      fields: { safetyChecks: ["calm"] },
      blocked: undefined,
    });
  });

  it("hands over the content and what is known of the call", () => {
    const seen: unknown[] = [];
    const curious: Detector = {
      name: "curious",
      checkInput(value, context) {
        seen.push(value, context);
        return undefined;
      },
    };
    void runDetectors([curious], "input", { messages: [] }, { model: "gpt-5" });
    expect(seen).toEqual([{ messages: [] }, { model: "gpt-5" }]);
  });

  it("records a detector that throws by the error's name, never by its message, and does not list it as run", () => {
    expect(runDetectors([throwing, content], "input", "Hi")).toEqual({
      fields: {
        safetyChecks: ["calm"],
        alerts: ["ai-audit: detector broken failed on the input (RangeError)"],
      },
      blocked: undefined,
    });
  });

  it.each([
    ["a rejection", async () => Promise.reject(new TypeError("x")), "TypeError"],
    ["true", () => true, "no finding"],
    ["a finding without a reason", () => ({ action: "block" }), "no finding"],
    [
      "an action that does not exist",
      async () => ({ action: "explode", reason: "x" }),
      "no finding",
    ],
    ["no answer in time", async () => new Promise(() => {}), "no answer within 20 ms"],
  ])("records what is no answer as a failure: %s", async (_, checkInput, why) => {
    // What plain JavaScript may hand us, whatever the types say.
    const odd = { name: "odd", checkInput } as Detector;
    const { fields, blocked } = await runDetectors([odd], "input", "Hi", {}, { timeoutMs: 20 });
    expect(fields).toEqual({ alerts: [`ai-audit: detector odd failed on the input (${why})`] });
    expect(blocked).toBeUndefined();
  });

  it("blocks what could not be checked when asked to", () => {
    const detection = runDetectors([throwing], "input", "Hi", {}, { onFailure: "block" });
    expect(detection).toMatchObject({
      blocked: { detector: "broken", reason: "failed: RangeError" },
      fields: {
        outcome: "blocked",
        safetyPassed: false,
        detectorsTriggered: ["broken"],
        blockReason: "failed: RangeError",
        metadata: { blocked_at: "input" },
      },
    });
  });
});

describe("the texts of a content", () => {
  it("are all strings in it, without the names of members", () => {
    const messages = [{ role: "user", content: [{ type: "text", text: "Hi" }], n: 1, none: null }];
    expect([...textsOf(messages)]).toEqual(["user", "text", "Hi"]);
    expect([...textsOf("Hi")]).toEqual(["Hi"]);
  });
});

describe("a detector of patterns", () => {
  it("finds texts whatever their case, and expressions as they are", () => {
    const detector = patternDetector({
      name: "codenames",
      action: "flag",
      patterns: ["Bluebird", /\bfalcon\b/, { name: "eagle", pattern: "eagle" }],
    });
    expect(detector.checkOutput?.({ text: "BLUEBIRD, falcon and Eagle" }, {})).toEqual({
      action: "flag",
      reason: "codenames: pattern 1, pattern 2, eagle",
      categories: ["pattern 1", "pattern 2", "eagle"],
    });
    expect(detector.checkOutput?.("Falcon", {})).toBeUndefined();
  });

  it("never says what it found", () => {
    const detector = patternDetector({ patterns: [/swordfish/] });
    const detection = runDetectors([detector], "input", "the password is swordfish");
    expect(JSON.stringify(detection)).not.toContain("swordfish");
  });

  it("finds the same each time, also with a global or sticky expression", () => {
    const detector = patternDetector({ patterns: [/bird/gy] });
    for (let time = 0; time < 3; time += 1)
      expect(detector.checkInput?.("a bird", {})).toBeDefined();
  });

  it("looks at one side only when asked to", () => {
    expect(patternDetector({ patterns: ["x"], sides: ["output"] })).not.toHaveProperty(
      "checkInput",
    );
  });

  it.each([
    [{ patterns: [] }, "patternDetector: no patterns"],
    [{ patterns: [" "] }, "patternDetector: pattern 1 is empty"],
    [
      { patterns: [{ name: "odd", pattern: 5 }] },
      "patternDetector: odd is neither a string nor a RegExp",
    ],
  ])("cannot be made of nothing: %j", (options, message) => {
    const make = (): unknown => patternDetector(options as Parameters<typeof patternDetector>[0]);
    expect(make).toThrow(expect.objectContaining({ code: "AUDIT_CONFIG_INVALID", message }));
  });
});
