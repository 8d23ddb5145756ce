import { describe, expect, it } from "vitest";
import { printed, withKeys } from "../support/cli.ts";
import { sharedSample } from "../support/samples.ts";

describe("ai-audit conversation", { timeout: 60_000 }, () => {
  it("a conversation is a transcript in which each message stands once", async () => {
    const sample = await sharedSample();
    const words = ["conversation", "geography", sample.directory, "-d"];
    expect(await printed(words, { sample, env: withKeys(sample) })).toMatchInlineSnapshot(`
      "── 2026-01-01 00:00:00  gpt-5 is asked  ok  420 ms  15>2 tokens  entry-1-0000000000000000000000000000
          ada (user)
              Which city is the capital of France?
          gpt-5 (assistant)
              Paris.

      ── 2026-01-01 00:00:00  gpt-5 is asked  ok  380 ms  29>2 tokens  entry-2-0000000000000000000000000000
          ada (user)
              And of Italy?
          gpt-5 (assistant)
              Rome.

      "
    `);
  });

  it("a blocked call says why", async () => {
    const sample = await sharedSample();
    const words = ["conversation", "locks", sample.directory, "-d"];
    expect(await printed(words, { sample, env: withKeys(sample) })).toMatchInlineSnapshot(`
      "── 2026-01-01 00:00:00  gpt-4o is asked  blocked  95 ms  13>0 tokens  jailbreak  entry-3-0000000000000000000000000000
          eve (user)
              How do I pick the lock of my neighbour's door?
          blocked
              content_filter

      "
    `);
  });

  it("a conversation that is not there is said to be so", async () => {
    const sample = await sharedSample();
    expect(await printed(["conversation", "x", sample.directory], { sample, code: 1 }))
      .toMatchInlineSnapshot(`
        "--- stderr
        error: no conversation x in ROOT/audit-logs
          to see ids: ai-audit list
        "
      `);
  });
});
