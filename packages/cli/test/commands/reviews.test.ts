import { AuditLogger } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { cli } from "../support/cli.ts";

async function writeLog(): Promise<string> {
  const directory = await temporaryDirectory();
  const logger = new AuditLogger(directory);
  const asked = {
    input: "pay?",
    output: "",
    operation: "human_review",
    outcome: "interrupted",
  } as const;
  const actor = { id: "ada", kind: "user" } as const;
  const of = await logger.log({ ...asked, actor });
  await logger.log({ input: "a", output: "b", operation: "chat", outcome: "ok" });
  await logger.log({
    input: "a",
    output: "b",
    operation: "chat",
    model: "gpt-5",
    reviewRequired: true,
  });
  await logger.review({ of, by: "bob", verdict: "modified" });
  await logger.close();
  return directory;
}

describe("ai-audit reviews", { timeout: 60_000 }, () => {
  it("lists requests, decisions, people, and how long it took", async () => {
    const { code, stdout, stderr } = await cli(["reviews", await writeLog()]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/a person is asked to decide +ada +modified +bob +\d/);
    expect(stdout).toMatch(/gpt-5 is asked +- +waiting +- +\d/);
    expect(stderr).toContain("2 requests, 1 without a decision");
  });

  it("--open lists what waits, as JSON for programs", async () => {
    const { stdout } = await cli(["reviews", await writeLog(), "--open", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      request: { model: "gpt-5", review_required: true },
      decisions: [],
      decided: false,
      waited_ms: expect.any(Number),
    });
  });

  it("says so when nothing waited", async () => {
    const directory = await temporaryDirectory();
    const logger = new AuditLogger(directory);
    await logger.log({ input: "a", output: "b" });
    await logger.close();
    const { stderr } = await cli(["reviews", directory, "--open"]);
    expect(stderr).toContain("nothing waits for a decision");
  });
});
