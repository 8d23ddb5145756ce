import { describe, expect, it } from "vitest";
import { cli, printed, withAllKeys } from "../support/cli.ts";
import { sharedSample } from "../support/samples.ts";

describe("ai-audit export-subject", { timeout: 60_000 }, () => {
  it("gives what is kept of one person, opened, and of nobody else", async () => {
    const sample = await sharedSample();
    const words = ["export-subject", "Grace Hopper", sample.directory];
    const { stdout, stderr } = await cli(words, { env: withAllKeys(sample) });
    expect(stderr).toBe("1 entry exported\n");
    expect(JSON.parse(stdout)).toMatchObject({
      id: sample.ids[5],
      input: "Please change my address.\u001B[2J\u202E",
      output: "Done, 王さん.",
    });
  });

  it("of somebody unknown nothing is kept", async () => {
    const sample = await sharedSample();
    const words = ["export-subject", "Nobody", sample.directory];
    expect(await printed(words, { sample, env: withAllKeys(sample), code: 1 })).toBe(
      "--- stderr\nthere is no entry of that person\n",
    );
  });
});
