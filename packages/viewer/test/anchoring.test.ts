// Anchors in the banner and in reports: the facts that `verify --anchor` finds.
import { FileStorage } from "@ai-audit/core";
import { witnessSink } from "@ai-audit/core/anchor";
import type { Verification } from "@ai-audit/core/verify";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { beforeAll, describe, expect, it } from "vitest";
import { anchorer, AnchoredLog, signer } from "../../core/test/anchor/anchored-log.ts";
import { startWitness } from "@ai-audit/test-support/anchor-parties";
import { NOW } from "../../core/test/verify/log-builder.ts";
import { createReport, type Report } from "../src/index.ts";
import type { EntryPage } from "../src/data/rows.ts";
import { buildBundle, openViewer } from "./support/viewer.ts";
import { type Fact, factsOf } from "../src/data/verdict-facts.ts";

function fact(label: string, result: Verification): Fact | undefined {
  return factsOf(result).find((each) => each.label === label);
}

async function reportOn(log: AnchoredLog, verification: Verification): Promise<Report> {
  const storage = new FileStorage({ path: log.directory });
  return createReport({ storage, verification, location: "" });
}

function stateOf({ results }: Report): string | undefined {
  return results.find(({ id }) => id === "anchored")?.state;
}

describe("An anchored log", () => {
  beforeAll(buildBundle);

  it.skipIf(isLeftOut("cryptography"))(
    "is anchored through a time by its witness, and has an unprotected end",
    async () => {
      const log = await AnchoredLog.make();
      const witness = await startWitness("witness-w", anchorer);
      await log.run({ sinks: [witnessSink(witness)] });
      const { anchor: location } = log;
      const anchors = [{ location, vkey: anchorer.vkey, witnesses: [witness.vkey] }];
      const result = await log.verify({ anchors });
      expect(fact("Anchored", result)).toEqual({
        label: "Anchored",
        value: expect.stringMatching(/^through \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC by witness-w$/),
      });
      expect(fact("Unprotected end", result)?.value).toMatch(/, 0 entries$/);
      const report = await reportOn(log, result);
      expect(stateOf(report)).toBe("pass");
      const shown = await openViewer(
        { directory: log.directory, vkey: signer.vkey, end: NOW.getTime() },
        { anchors, verify: async () => result },
      );
      const { rows } = await shown.get<EntryPage>("entries");
      expect(await shown.get(`proof/${rows[0]?.id}`)).toMatchObject({
        state: "proven",
        verdict: expect.stringMatching(/^OK: .*; existed by \S+Z, says witness-w$/),
      });
      await shown.close();
      expect(report.integrity.anchoring).toMatch(/^Anchored through .* by witness-w: .*2 leaves/);
    },
  );

  it("rests on the anchorer's word alone where nobody confirms, and passes in part", async () => {
    const log = await AnchoredLog.make();
    await log.run();
    const result = await log.verify();
    expect(fact("Anchored", result)).toMatchObject({
      value: expect.stringContaining("by the anchorer's own clock"),
      tone: "warn",
    });
    expect(stateOf(await reportOn(log, result))).toBe("partial");
  });

  it("is not anchored by an anchor log that cannot be read", async () => {
    const log = await AnchoredLog.make();
    await log.run();
    const anchors = [{ location: `${log.anchor}-gone`, vkey: anchorer.vkey }];
    const result = await log.verify({ anchors });
    expect(fact("Anchored", result)).toMatchObject({
      value: "no: nobody vouches for the anchor log",
      tone: "warn",
    });
    expect(fact("Unprotected end", result)).toBeUndefined();
    const report = await reportOn(log, result);
    expect(stateOf(report)).toBe("fail");
    expect(report.integrity.anchoring).toContain("Not anchored: nobody vouches");
  });
});
