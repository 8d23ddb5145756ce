// An agent's log, as its readers see it.
import { join } from "node:path";
import { AuditLogger } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { writeAgentLog } from "../support/agent-log.ts";
import { cli } from "../support/cli.ts";
import { ON_TERMINAL } from "../support/terminal.ts";

/** The text with the same ids and times on every day. */
function steady(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, "ENTRY")
    .replaceAll(/20\d\d-\d\d-\d\d \d\d:\d\d:\d\d/g, "TIME");
}

describe("ai-audit conversation, of an agent", { timeout: 60_000 }, () => {
  it("is a transcript: calls in the order of their beginning, each below the one that made it", async () => {
    const directory = await writeAgentLog(await temporaryDirectory());
    const { code, stdout } = await cli(["conversation", "payments", directory]);
    expect(code).toBe(0);
    expect(steady(stdout)).toMatchInlineSnapshot(`
      "── TIME  agent supervisor  paused  9.0 s  ENTRY

          ── TIME  supervisor asks gpt-5  ok  8.0 s  100>30 tokens  ENTRY
              ada (user)
                  Pay what is due.
              supervisor (assistant)
                  I check both invoices.
                  → asks for tool delegate {"task":"Check invoice 7."}
                  → asks for tool delegate {"task":"Check invoice 8."}

          ── TIME  tool delegate, called by supervisor  ok  7.0 s  ENTRY
              called with
                  {
                    "task": "Check invoice 7."
                  }
              returned
                  Invoice 7 is due.

              ── TIME  researcher asks gpt-5-mini  ok  6.5 s  20>5 tokens  ENTRY
                  system
                      You check invoices.
                  supervisor (user)
                      Check invoice 7.
                  researcher (assistant)
                      Invoice 7 is due.

          ── TIME  tool delegate, called by supervisor  ok  6.9 s  ENTRY
              called with
                  {
                    "task": "Check invoice 8."
                  }
              returned
                  Invoice 8 cannot be read.

              ── TIME  tool read_pdf, called by researcher  error  6.0 s  ENTRY
                  called with
                      {
                        "file": "8.pdf"
                      }
                  error
                      no such file

          ── TIME  guardrail pii:email  ok  5.0 s  pii:email  ENTRY

          ── TIME  a person is asked to decide  asked  4.0 s  ENTRY
              proposed
                  {
                    "action": "pay",
                    "amount": 120
                  }

      "
    `);
  });

  it("--json: a line for each call, in the same order, with depth and beginning", async () => {
    const directory = await writeAgentLog(await temporaryDirectory());
    const { stdout } = await cli(["conversation", "payments", directory, "--json"]);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { depth: number; run: { id: string }; began: string });
    expect(lines.map(({ depth, run }) => [depth, run.id])).toEqual([
      [0, "agent-1"],
      [1, "chat-1"],
      [1, "tool-1"],
      [2, "chat-2"],
      [1, "tool-2"],
      [2, "tool-3"],
      [1, "guard-1"],
      [1, "review-1"],
    ]);
    const begins = lines.map(({ began }) => Date.parse(began));
    expect(begins[1]).toBeGreaterThan(begins[0] ?? 0);
  });
});

describe("ai-audit run", { timeout: 60_000 }, () => {
  it("is a tree with outcomes, latencies and tokens; any id in the run finds it", async () => {
    const directory = await writeAgentLog(await temporaryDirectory());
    const { code, stdout } = await cli(["run", "inv-1", directory]);
    expect(code).toBe(0);
    expect(steady(stdout).replaceAll(/ {3,}\n/g, "\n")).toMatchInlineSnapshot(`
      "run inv-1, TIME UTC, 9.0 s; asked by ada; 8 entries; 120 tokens in, 35 out; 1 error; 1 question to a person

      TIME (UTC)           CALL                                       ACTOR  OUTCOME  FLAGS      LATENCY  TOKENS  ENTRY
      TIME  agent supervisor                           ada    paused   -            9.0 s       -  ENTRY
      TIME  ├─ supervisor asks gpt-5                   ada    ok       -            8.0 s  100>30  ENTRY
      TIME  ├─ tool delegate, called by supervisor     ada    ok       -            7.0 s       -  ENTRY
      TIME  │  └─ researcher asks gpt-5-mini           ada    ok       -            6.5 s    20>5  ENTRY
      TIME  ├─ tool delegate, called by supervisor     ada    ok       -            6.9 s       -  ENTRY
      TIME  │  └─ tool read_pdf, called by researcher  ada    error    -            6.0 s       -  ENTRY
      TIME  ├─ guardrail pii:email                     ada    ok       pii:email    5.0 s       -  ENTRY
      TIME  └─ a person is asked to decide             ada    asked    -            4.0 s       -  ENTRY
      "
    `);
    expect((await cli(["run", "tool-3", directory])).stdout).toBe(stdout);
    expect(await cli(["run", "nothing", directory])).toMatchObject({
      code: 1,
      stderr: `error: no run nothing in ${directory}\n  run.root_id is shown by: ai-audit show ID\n`,
    });
  });
});

describe("Conditions on agents", { timeout: 60_000 }, () => {
  it.each([
    [["--tool", "delegate"], 2],
    [["--agent", "researcher"], 2],
    [["--operation", "human_review"], 1],
    [["--actor", "ada"], 8],
    [["--flagged"], 1],
  ])("%s: list, query and tail select the same entries", async (condition, count) => {
    const directory = await writeAgentLog(await temporaryDirectory());
    for (const command of ["list", "query", "tail"]) {
      const { stdout } = await cli([command, directory, ...condition, "--json"]);
      expect(stdout.trimEnd().split("\n")).toHaveLength(count);
    }
  });
});

describe("ai-audit stats, of an agent", { timeout: 60_000 }, () => {
  it("counts calls apart from events; a person who is asked is no error", async () => {
    const directory = await writeAgentLog(await temporaryDirectory());
    const { stdout } = await cli(["stats", directory, "--by", "actor", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      groups: [
        {
          group: "ada",
          calls: 6,
          events: 2,
          errors: 1,
          stopped: 1,
          blocked: 0,
          flagged: 1,
          inputTokens: 120,
        },
      ],
    });
  });
});

/** Control characters that reached the terminal, without those of styles and line ends. */
function controlsIn(screen: string): string[] {
  // oxlint-disable-next-line no-control-regex -- control characters are the subject
  const styled = screen.replaceAll(/\u001B\[[\d;]*m|[\r\n]/g, "");
  // oxlint-disable-next-line no-control-regex -- control characters are the subject
  return styled.match(/[\u0000-\u001F\u007F-\u009F\u2028\u202E\u2066]/g) ?? [];
}

/** An id and a prompt with escape sequences, C1 controls and a bidirectional override. */
const HOSTILE = "x\u001B]0;title\u0007\u001B[2J\u009B2J\u202E\u2066\u2028";

describe("On a terminal", { timeout: 60_000 }, () => {
  it.each([
    ["conversation", [HOSTILE, "LOG"]],
    ["list", ["LOG", "--json"]],
    ["query", ["LOG", "--full"]],
    ["export", ["LOG", "-f", "jsonl"]],
    ["export", ["LOG", "-f", "csv"]],
    ["export", ["LOG", "-f", "ocsf"]],
  ])("%s %j: nothing in the log is obeyed", async (command, words) => {
    const directory = join(await temporaryDirectory(), "log");
    const logger = new AuditLogger(directory, { storeContent: true });
    await logger.log({ input: HOSTILE, output: HOSTILE, conversationId: HOSTILE, model: HOSTILE });
    await logger.close();
    const { stderr: screen } = await cli(
      [command, ...words.map((word) => (word === "LOG" ? directory : word))],
      {
        env: { TERM: "xterm" },
        runner: ["python3", ON_TERMINAL, "all"],
      },
    );
    expect(screen).toContain("\\u202e");
    expect(controlsIn(screen)).toEqual([]);
  });
});
