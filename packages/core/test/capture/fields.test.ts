import { describe, expect, it } from "vitest";
import { AuditLogger, type Interaction, MemoryStorage } from "../../src/index.ts";
import { type CapturedFields, mergeFields } from "../../src/capture/index.ts";
import { CallFields } from "../../src/capture/fields.ts";
import { rejected } from "@ai-audit/test-support/caught";

describe("mergeFields()", () => {
  it.each<[string, CapturedFields[], CapturedFields]>([
    [
      "values win over earlier ones, also null",
      [{ model: "a", latencyMs: 1 }, { model: null }],
      { model: null, latencyMs: 1 },
    ],
    ["undefined says nothing", [{ model: "a" }, { model: undefined }], { model: "a" }],
    [
      "lists add up, without repetition",
      [{ alerts: ["a", "b"] }, { alerts: ["b", "c"] }],
      { alerts: ["a", "b", "c"] },
    ],
    [
      "an empty list adds nothing",
      [{ safetyChecks: ["a"] }, { safetyChecks: [] }],
      { safetyChecks: ["a"] },
    ],
    [
      "finish reasons do not add up",
      [{ finishReasons: ["stop"] }, { finishReasons: ["stop"] }],
      { finishReasons: ["stop"] },
    ],
    [
      "a run is merged by key",
      [{ run: { id: "a", node: "n" } }, { run: { id: "b" } }],
      { run: { id: "b", node: "n" } },
    ],
    [
      "metadata is merged by key, and its safety too, where detectors' findings stand side by side",
      [
        { metadata: { a: 1, b: 1, safety: { detectors: ["x"], codes: 1 } } },
        { metadata: { b: 2, safety: { detectors: ["y"], codes: 2 } } },
      ],
      { metadata: { a: 1, b: 2, safety: { detectors: ["x", "y"], codes: 2 } } },
    ],
    [
      "a verdict alone stays as it is",
      [{ metadata: { safety: { codes: 1 } } }, { metadata: { a: 1 } }],
      { metadata: { safety: { codes: 1 }, a: 1 } },
    ],
  ])("%s", (_, parts, merged) => {
    const before = structuredClone(parts);
    expect(mergeFields(...parts)).toEqual(merged);
    expect(parts).toEqual(before);
  });
});

describe("the fields of a call", () => {
  const contents = ["input", "output"];

  it.each(Object.keys(new CallFields()).filter((name) => !contents.includes(name)))(
    "%s is one of log()'s",
    async (name) => {
      const wrong: unknown = { input: "x", output: "y", [name]: Symbol("of no kind") };
      const logged = new AuditLogger(new MemoryStorage()).log(wrong as Interaction);
      expect(await rejected(logged)).toMatchObject({
        message: expect.stringContaining(`log(): ${name} must be`),
      });
    },
  );

  it("are put right in place, and what was wrong is named", async () => {
    const logger = new AuditLogger(new MemoryStorage());
    const fields = Object.assign(new CallFields(), {
      input: "x",
      model: 5,
      provider: null,
      streamed: true,
      nonsense: 1,
    });
    const entry = await logger.getEntry(await logger.callSink.capture(fields, { layer: "client" }));
    expect(entry).toMatchObject({ model: null, provider: null, streamed: true });
    expect(entry?.alerts).toEqual([
      "ai-audit: model must be a string",
      "ai-audit: nonsense is not a field of an interaction; your own data goes into metadata",
    ]);
  });
});
