import { describe, expect, it } from "vitest";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { times } from "@ai-audit/test-support/soak";
import { powerCuts } from "../src/power-cuts.ts";

describe.skipIf(isLeftOut("strace"))("A power cut", { timeout: 600_000 }, () => {
  it("at any call loses nothing acknowledged, and leaves no log that looks altered", async () => {
    const rows = await powerCuts({ seed: 7, orders: times(20, 100), every: times(500, 100) });
    for (const row of rows)
      expect(row).toMatchObject({ lost: 0, duplicated: 0, falseVerdicts: 0, findings: [] });
    expect(rows[0]?.tries).toBeGreaterThan(10);
  });
});
