import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli, printed } from "../support/cli.ts";
import { sharedSample } from "../support/samples.ts";

describe("ai-audit list", { timeout: 60_000 }, () => {
  it("the latest entries are shown, the newest last", async () => {
    const sample = await sharedSample();
    expect(await printed(["list", sample.directory], { sample })).toMatchInlineSnapshot(`
      "TIME (UTC)           ID                                    OPERATION     MODEL OR TOOL     AGENT     ACTOR     OUTCOME   FLAGS      LATENCY     TOKENS  CONVERSATION
      2026-01-01 00:00:00  entry-1-0000000000000000000000000000  chat          gpt-5             -         ada       ok        -           420 ms       15>2  geography
      2026-01-01 00:00:00  entry-2-0000000000000000000000000000  chat          gpt-5             -         ada       ok        -           380 ms       29>2  geography
      2026-01-01 00:00:00  entry-3-0000000000000000000000000000  chat          gpt-4o            -         eve       blocked   jailbreak    95 ms       13>0  locks
      2026-01-01 00:00:00  entry-4-0000000000000000000000000000  chat          gpt-5             -         bob       error     -            2.6 s          -  -
      2026-01-01 00:00:00  entry-5-0000000000000000000000000000  chat          gpt-5-mini        -         bob       ok        -           310 ms      40>12  -
      2026-01-01 00:00:00  entry-6-0000000000000000000000000000  chat          gpt-5             -         grace     ok        -           510 ms        8>5  -
      2026-01-01 00:00:00  entry-7-0000000000000000000000000000  -             -                 -         -         -         -                -          -  -
      "
    `);
  });

  it("--limit says how many, and a remark how many there are", async () => {
    const sample = await sharedSample();
    expect(await printed(["list", sample.directory, "-n", "2"], { sample })).toMatchInlineSnapshot(`
      "TIME (UTC)           ID                                    OPERATION     MODEL OR TOOL     AGENT     ACTOR     OUTCOME   FLAGS  LATENCY     TOKENS  CONVERSATION
      2026-01-01 00:00:00  entry-6-0000000000000000000000000000  chat          gpt-5             -         grace     ok        -       510 ms        8>5  -
      2026-01-01 00:00:00  entry-7-0000000000000000000000000000  -             -                 -         -         -         -            -          -  -
      --- stderr
      the latest 2 of 7 entries
      "
    `);
  });

  it("--json gives the lines of the log", async () => {
    const sample = await sharedSample();
    const { stdout } = await cli(["list", sample.directory, "--json"]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject(
      sample.ids.map((id) => ({ id })),
    );
  });
});

describe("A log that is not there", { timeout: 60_000 }, () => {
  it.for(["list", "query", "tail", "stats", "export", "cleanup"])(
    "%s says so with exit code 66",
    async (name) => {
      const sample = await sharedSample();
      const place = join(sample.root, "none");
      expect(await printed([name, place], { sample, code: 66 })).toBe(
        "--- stderr\nerror: no log there: ROOT/none\n  give the directory that the application logs to\n",
      );
    },
  );
});
