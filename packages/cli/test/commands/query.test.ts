import { AuditLogger } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { cli, printed, withKeys } from "../support/cli.ts";
import { sharedSample } from "../support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe("ai-audit query", { timeout: 60_000 }, () => {
  it.for([
    [["--flagged"], [2]],
    [["--outcome", "error"], [3]],
    [
      ["--model", "gpt-5"],
      [0, 1, 3, 5],
    ],
    [["--model", "gpt-5-2026-08-07"], [0]],
    [["--provider", "azure.ai.openai"], [2]],
    [
      ["--operation", "chat", "--conversation", "geography"],
      [0, 1],
    ],
    [["--detector", "jailbreak"], [2]],
    [["--thread", "thread-7"], [4]],
    [
      ["--metadata", "user_id=ada"],
      [0, 1],
    ],
    [["--metadata", "user_id=ada", "--metadata", "tags.team=web"], [0]],
    [
      ["--since", "1h", "-n", "2"],
      [0, 1],
    ],
    [["--newest-first", "-n", "1"], [6]],
    [["--until", "2020-01-01"], []],
  ] as const)("%j finds entries %j", async ([words, places]) => {
    const sample = await sharedSample();
    expect(await found(sample.directory, words)).toEqual(places.map((place) => sample.ids[place]));
  });

  it("--outcome means what the column of that name shows, also of an entry whose writer told none", async () => {
    const directory = await temporaryDirectory();
    const logger = new AuditLogger(directory);
    const by = { input: "x", output: "", safetyPassed: false } as const;
    const told = await logger.log({ ...by, outcome: "blocked" });
    const flagged = await logger.log({ ...by, blockReason: "policy" });
    await logger.log({ input: "x", output: "y", metadata: { safety_passed: false } });
    await logger.close();

    expect(await found(directory, ["--outcome", "blocked"])).toEqual([told]);
    expect(await found(directory, ["--outcome", "flagged"])).toEqual([flagged]);
    const { stdout } = await cli(["query", directory, "--outcome", "flagged"]);
    expect(stdout).toMatch(new RegExp(`${flagged} .* flagged +flagged `));
    const { stdout: figures } = await cli(["stats", directory, "--by", "outcome"]);
    expect(figures).toMatch(/^blocked +1 [^]*^flagged +1 /m);
  });

  it("text is found in decrypted content, whatever the case", async () => {
    const sample = await sharedSample();
    const words = ["--text", "ROME", "--decrypt"];
    expect(await found(sample.directory, words, withKeys(sample))).toEqual([sample.ids[1]]);
  });

  it("a person's entries are found by the name that the application uses", async () => {
    const sample = await sharedSample();
    expect(await found(sample.directory, ["--subject", "Grace Hopper"], withKeys(sample))).toEqual([
      sample.ids[5],
    ]);
    expect(await found(sample.directory, ["--subject", "Nobody"], withKeys(sample))).toEqual([]);
  });

  it("text that could not be searched is not passed over in silence", async () => {
    const sample = await sharedSample();
    expect(await printed(["query", sample.directory, "--text", "rome"], { sample, code: 1 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      7 entries could not be searched for text: encrypted
        --decrypt opens them, with AUDIT_ENCRYPTION_KEY
      no such entry
      "
    `);
  });

  it("--count prints a number, also when it is 0", async () => {
    const sample = await sharedSample();
    expect(await cli(["query", sample.directory, "--flagged", "--count"])).toMatchObject({
      code: 0,
      stdout: "1\n",
    });
    expect(await cli(["query", sample.directory, "--model", "none", "-c"])).toMatchObject({
      code: 0,
      stdout: "0\n",
    });
  });

  it("--full shows everything that each entry says", async () => {
    const sample = await sharedSample();
    const words = ["query", sample.directory, "--thread", "thread-7", "--full", "-d"];
    expect(await printed(words, { sample, env: withKeys(sample) })).toMatchInlineSnapshot(`
      "entry        entry-5-0000000000000000000000000000
      recorded     2026-01-01T00:00:00.000Z
      operation    chat
      provider     openai
      model        gpt-5-mini
      actor        bob
      outcome      ok
      safety       no check is on record
      latency      310 ms
      tokens       40 in, 12 out
      metadata     {"user_id":"bob"}
      run          {"id":"run-1","threadId":"thread-7"}
      input hash   hmac-sha256:HASH
      output hash  hmac-sha256:HASH
      input
          What is the weather in Oslo?
      output
          [
            {
              "content": null,
              "role": "assistant",
              "tool_calls": [
                {
                  "arguments": "{\\"city\\":\\"Oslo\\"}",
                  "name": "weather"
                }
              ]
            }
          ]

      "
    `);
  });

  it("a time that is none is refused with those that would do", async () => {
    const sample = await sharedSample();
    const words = ["query", sample.directory, "--since", "last week"];
    expect(await printed(words, { sample, code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: option '--since <time>' argument 'last week' is invalid. It must be a time: 2026-01-01, 2026-11-23T14:30, today, yesterday, or back from now: 90s, 30m, 2h, 7d, 4w.
        see: ai-audit query --help
      "
    `);
  });

  it("a range that ends before it begins is refused", async () => {
    const sample = await sharedSample();
    const words = ["query", sample.directory, "--since", "2026-02-01", "--until", "2026-01-31"];
    expect((await cli(words)).stderr).toBe("error: --since is after --until\n");
  });
});

/** Ids that a query finds. */
async function found(
  directory: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly unknown[]> {
  const { stdout } = await cli(["query", directory, ...words, "--json"], { env });
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => (JSON.parse(line) as { id: string }).id);
}
