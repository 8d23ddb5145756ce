import { once } from "node:events";
import { AuditLogger } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { printed, start } from "../support/cli.ts";
import { ownSample, sharedSample } from "../support/samples.ts";

describe("ai-audit tail", { timeout: 60_000 }, () => {
  it("the latest entries that meet the conditions are shown", async () => {
    const sample = await sharedSample();
    const words = ["tail", sample.directory, "-n", "1", "--conversation", "geography"];
    expect(await printed(words, { sample })).toMatchInlineSnapshot(`
      "TIME (UTC)           ID                                    OPERATION     MODEL OR TOOL     AGENT     ACTOR     OUTCOME   FLAGS  LATENCY     TOKENS  CONVERSATION
      2026-01-01 00:00:00  entry-2-0000000000000000000000000000  chat          gpt-5             -         ada       ok        -       380 ms       29>2  geography
      "
    `);
  });

  it("-f shows each new entry once, and none that was there", async () => {
    const copy = await ownSample();
    const child = start(["tail", copy.directory, "-n", "1", "-f", "--json"]);
    await child.until(copy.ids[6] ?? "");
    const logger = new AuditLogger(copy.directory);

    const id = await logger.log({ input: "new", output: "", model: "fresh" });
    await child.until(id);
    const last = await logger.log({ input: "newer", output: "", model: "fresh" });
    await child.until(last);

    await logger.close();
    const closed = once(child.process, "close");
    child.process.kill("SIGINT");
    await closed;
    const ids = child.output.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(ids).toEqual([copy.ids[6], id, last]);
  });
});
