import { once } from "node:events";
import { join } from "node:path";
import { AuditLogger } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { cli, printed, start, withKeys } from "./support/cli.ts";
import { ownSample, sharedSample } from "./support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

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

describe("ai-audit show", { timeout: 60_000 }, () => {
  it("an entry is shown in full, its content encrypted", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[0] ?? "", sample.directory];
    expect(await printed(words, { sample })).toMatchInlineSnapshot(`
      "entry         entry-1-0000000000000000000000000000
      recorded      2026-01-01T00:00:00.000Z
      operation     chat
      provider      openai
      model         gpt-5 (served: gpt-5-2026-01-01)
      actor         ada
      outcome       ok
      safety        passed; checks: openai.moderation
      latency       420 ms
      tokens        15 in, 2 out
      conversation  geography
      metadata      {"user_id":"ada","tags":{"team":"web"}}
      input hash    hmac-sha256:HASH
      output hash   hmac-sha256:HASH
      input         (encrypted: --decrypt opens it, with the key)
      output        (encrypted: --decrypt opens it, with the key)
      "
    `);
  });

  it("--decrypt opens the content with the key of the environment", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[3] ?? "", sample.directory, "--decrypt"];
    expect(await printed(words, { sample, env: withKeys(sample) })).toMatchInlineSnapshot(`
      "entry        entry-4-0000000000000000000000000000
      recorded     2026-01-01T00:00:00.000Z
      operation    chat
      provider     openai
      model        gpt-5
      actor        bob
      outcome      error
      error        RateLimitError (rate_limit_exceeded, HTTP 429): Rate limit reached
      safety       no check is on record
      latency      2.6 s (3 attempts)
      metadata     {"user_id":"bob"}
      input hash   hmac-sha256:HASH
      output hash  hmac-sha256:HASH
      input
          Summarise the report.
      output       (empty)
      "
    `);
  });

  it("what a user wrote cannot steer the terminal", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[5] ?? "", sample.directory, "-d"];
    const { stdout } = await cli(words, { env: withKeys(sample) });
    expect(stdout).toContain(String.raw`    Please change my address.\u001b[2J\u202e`);
    expect(stdout).toContain("    Done, 王さん.");
  });

  it("JSON has the content as it was", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[5] ?? "", sample.directory, "-d", "--json"];
    const { stdout } = await cli(words, { env: withKeys(sample) });
    expect(JSON.parse(stdout)).toMatchObject({
      id: sample.ids[5],
      input: "Please change my address.\u001B[2J\u202E",
      input_content: expect.stringMatching(/^eyJ/) as string,
    });
  });

  it("without a key nothing can be decrypted", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[0] ?? "", sample.directory, "-d"];
    expect(await printed(words, { sample, code: 78 })).toMatchInlineSnapshot(`
      "--- stderr
      error: no encryption key is set
        set AUDIT_ENCRYPTION_KEY, or AUDIT_ENCRYPTION_KEY_FILE to a file that holds the key
      "
    `);
  });

  it("a key that is none is refused without being shown", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[0] ?? "", sample.directory, "-d"];
    const output = await printed(words, {
      sample,
      code: 78,
      env: { AUDIT_ENCRYPTION_KEY: "hunter2" },
    });
    expect(output).toMatchInlineSnapshot(`
      "--- stderr
      error: The environment variable AUDIT_ENCRYPTION_KEY is not a key: expected 32 bytes as base64url (43 characters, or 44 with "="), as generateKey() makes them
        \`ai-audit init\` makes keys, \`ai-audit keys export\` prints the verification key
      "
    `);
  });

  it("another key opens nothing, and the entry is shown all the same", async () => {
    const sample = await sharedSample();
    const words = ["show", sample.ids[0] ?? "", sample.directory, "-d"];
    const { stdout, code } = await cli(words, { env: { AUDIT_ENCRYPTION_KEY: "A".repeat(43) } });
    expect(code).toBe(78);
    expect(stdout).toMatch(
      /input +\(encrypted: The key "k[\w-]{10}" is needed and is not known here\)/,
    );
  });

  it("an entry that is not there is said to be so, with exit code 1", async () => {
    const sample = await sharedSample();
    const words = ["show", "00000000-0000-7000-8000-000000000000", sample.directory];
    expect(await printed(words, { sample, code: 1 })).toMatchInlineSnapshot(`
      "--- stderr
      error: no entry 00000000-0000-7000-8000-000000000000 in ROOT/audit-logs
        to see ids: ai-audit list
      "
    `);
  });
});

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

describe("ai-audit conversation", { timeout: 60_000 }, () => {
  it("a conversation is a transcript in which each message stands once", async () => {
    const sample = await sharedSample();
    const words = ["conversation", "geography", sample.directory, "-d"];
    expect(await printed(words, { sample, env: withKeys(sample) })).toMatchInlineSnapshot(`
      "── 2026-01-01 00:00:00  gpt-5 is asked  ok  420 ms  entry-1-0000000000000000000000000000
          ada (user)
              Which city is the capital of France?
          gpt-5 (assistant)
              Paris.

      ── 2026-01-01 00:00:00  gpt-5 is asked  ok  380 ms  entry-2-0000000000000000000000000000
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
      "── 2026-01-01 00:00:00  gpt-4o is asked  blocked  95 ms  jailbreak  entry-3-0000000000000000000000000000
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
