import { describe, expect, it } from "vitest";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { times } from "@ai-audit/test-support/soak";
import { powerCuts } from "../src/power-cuts.ts";

describe.skipIf(isLeftOut("strace"))("A power cut", { timeout: 600_000 }, () => {
  it.each([
    { where: "libuv's pool", poolThreads: 4 },
    { where: "a thread", poolThreads: 1 },
  ])(
    "at any call on $where loses nothing acknowledged, and leaves no log that looks altered",
    async ({ poolThreads }) => {
      const [orders, every] = [times(10, 100), times(1000, 100)];
      const rows = await powerCuts({ seed: 7, orders, every, poolThreads });
      for (const row of rows)
        expect(row).toMatchObject({ lost: 0, duplicated: 0, falseVerdicts: 0, findings: [] });
      expect(rows[0]?.tries).toBeGreaterThan(10);
    },
  );
});
