import { describe, expect, it } from "vitest";
import { cli, printed } from "../support/cli.ts";
import { sharedSample } from "../support/samples.ts";

describe("ai-audit stats", { timeout: 60_000 }, () => {
  it("calls, tokens, latency and blocks are counted by day", async () => {
    const sample = await sharedSample();
    expect(await printed(["stats", sample.directory], { sample })).toMatchInlineSnapshot(`
      "DAY         CALLS                     IN  OUT     P50    P95    P99  ERRORS  STOPPED  BLOCKED  FLAGGED  EVENTS
      2026-01-01      7  ████████████████  105   21  380 ms  2.6 s  2.6 s       1        0        1        1       0
      total           7                    105   21  380 ms  2.6 s  2.6 s       1        0        1        1       0
      "
    `);
  });

  it("they are counted by actor, those with the most calls first", async () => {
    const sample = await sharedSample();
    expect(await printed(["stats", sample.directory, "--by", "actor", "-n", "3"], { sample }))
      .toMatchInlineSnapshot(`
      "ACTOR  CALLS                     IN  OUT     P50     P95     P99  ERRORS  STOPPED  BLOCKED  FLAGGED  EVENTS
      ada        2  ████████████████   44    4  380 ms  420 ms  420 ms       0        0        0        0       0
      bob        2  ████████████████   40   12  311 ms   2.6 s   2.6 s       1        0        0        0       0
      -          1  ████████            -    -       -       -       -       0        0        0        0       0
      total      7                    105   21  380 ms   2.6 s   2.6 s       1        0        1        1       0
      --- stderr
      2 further groups: raise --limit
      "
    `);
  });

  it("conditions apply, and JSON has numbers", async () => {
    const sample = await sharedSample();
    const { stdout } = await cli([
      "stats",
      sample.directory,
      "--by",
      "model",
      "--conversation",
      "geography",
      "--json",
    ]);
    expect(JSON.parse(stdout)).toEqual({
      by: "model",
      total: expect.objectContaining({ calls: 2 }) as unknown,
      groups: [
        {
          group: "gpt-5",
          calls: 2,
          inputTokens: 44,
          outputTokens: 4,
          latencyMs: { p50: 380, p95: 420, p99: 420 },
          errors: 0,
          stopped: 0,
          blocked: 0,
          flagged: 0,
          events: 0,
        },
      ],
      log: [],
    });
  });

  it("a group that is none is refused with those there are", async () => {
    const sample = await sharedSample();
    expect(await printed(["stats", sample.directory, "--by", "week"], { sample, code: 64 }))
      .toMatchInlineSnapshot(`
        "--- stderr
        error: --by week is unknown
          one of hour, day, month, model, provider, operation, tool, agent, actor, outcome, conversation, or metadata.KEY
        "
      `);
  });
});
