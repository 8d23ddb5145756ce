// An agent that pays invoices, through LangGraph and by hand: what a reader finds in the log.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type AuditEntry, AuditLogger } from "@ai-audit/core";
import { readControlLine } from "@ai-audit/core/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const fileOf = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

async function start(script: string, given: readonly string[], cwd: string): Promise<string> {
  const own = ["--conditions=ai-audit-source", fileOf(script), ...given];
  const { stdout } = await run(process.execPath, own, {
    cwd,
    env: { ...process.env, INIT_CWD: "" },
  });
  return stdout;
}

describe.each([
  { example: "agent-in-langgraph", conversation: "pay-1", reviewer: "bob", role: undefined },
  { example: "agent-by-hand", conversation: "pay-2", reviewer: "bob", role: "treasurer" },
])("$example", ({ example, conversation, reviewer, role }) => {
  let cwd: string;
  let answer: string;
  let said: string;
  let tree: string;
  let entries: AuditEntry[];
  let logger: AuditLogger;
  let begun: Set<string>;

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), "ai-audit-agents-"));
    const log = `audit-logs/${example}`;
    answer = await start(`src/${example}.ts`, [], cwd);
    const command = "../scripts/ai-audit.mjs";
    said = await start(command, ["conversation", conversation, log], cwd);
    logger = new AuditLogger(join(cwd, log), { storeContent: true });
    entries = await Array.fromAsync(logger.entries());
    tree = await start(command, ["run", entries[0]?.run?.rootId ?? "", log], cwd);
    const files = await readdir(join(cwd, log));
    const lines = await Promise.all(files.map((file) => readFile(join(cwd, log, file), "utf8")));
    begun = new Set(
      lines
        .join("")
        .split("\n")
        .flatMap((line) => {
          const control = readControlLine(line);
          return control?.type === "run.started" ? [control.run] : [];
        }),
    );
  }, 120_000);

  afterAll(async () => {
    await logger.close();
    await rm(cwd, { recursive: true });
  });

  /** From a line of the transcript to the end of its call. */
  const passage = (beginning: string): string => {
    const at = said.indexOf(beginning);
    if (at === -1) throw new Error(`${beginning} is not in\n${said}`);
    return said.slice(at, said.indexOf("\n\n", at)).replaceAll(/\s+/g, " ");
  };

  describe("the transcript and the tree tell", () => {
    it("who asked", () => {
      expect(answer).toContain("Acme was paid 900 EUR for invoice 17."); // the stream's reader has it
      expect(said).toMatch(/ada \(user\)\n\s+Pay the open invoices of Acme\./);
      expect(said).not.toContain("ann@example.com");
    });
    it("which model decided to pay", () => {
      const line = said.slice(0, said.indexOf("→ asks for tool pay"));
      expect(line.slice(line.lastIndexOf("──"))).toContain("supervisor asks gpt-5");
    });
    it("which document said so", () => {
      expect(said.replaceAll(/\s+/g, " ")).toMatch(
        /retrieval archive, called by researcher ok .{0,80}query invoice 17 .*found inv-17 s3:\/\/invoices\/invoice-17\.pdf score 0\.93/i,
      );
    });
    it("who decided on what, and what was changed", () => {
      const by = role === undefined ? reviewer : `${reviewer} (${role})`;
      expect(said).toContain("a person is asked to decide on pay  asked");
      const decision = passage(`${by} decides: approved as changed`);
      expect(decision).toMatch(/proposed pay \{"amount":950.*changed to pay \{"amount":900/);
    });
    it("what was refused, and why", () => {
      expect(passage("decides: rejected")).toContain("no press release about payments");
      expect(said).not.toContain("tool send_mail, called by");
    });
    it("what it cost in tokens", () => {
      expect(tree).toContain("1,070 tokens in, 160 out");
      expect(tree.match(/ \d+>20 /g)).toHaveLength(8);
    });
    it("what failed", () => {
      expect(passage("tool search, called by researcher  error")).toContain(
        "error the archive does not answer",
      );
      expect(tree).toMatch(/; 1 error; 2 questions to a person/);
      expect(tree).toContain(`asked by ada; decided by ${reviewer}`);
    });
    it("the whole invocation, also what went on in another process, as one tree", () => {
      const roots = tree.split("\n").filter((line) => /^\d{4}\S+ \S+ {2}[^│├└ ]/.test(line));
      expect(roots).toHaveLength(1);
      expect(tree).toMatch(/tool pay, called by supervisor +bob/);
    });
  });

  it("names for every run a parent that is in the log", () => {
    const known = new Set([...begun, ...entries.map((entry) => entry.run?.id)]);
    const parents = entries.flatMap((entry) => entry.run?.parentId ?? []);
    expect(parents).toHaveLength(entries.length);
    expect(parents.filter((parent) => !known.has(parent))).toEqual([]);
  });

  it("tells the parallel calls of one sub-agent apart by the tool call that started them", () => {
    const calls = entries.filter((entry) => entry.run?.["agentName"] === "researcher");
    const models = calls.filter(({ operation }) => operation === "chat");
    const byCall = Map.groupBy(models, (entry) => entry.run?.calledBy);
    expect([...byCall].map(([id, found]) => [id, found.length])).toEqual(
      expect.arrayContaining([
        ["call_r17", 2],
        ["call_r18", 2],
      ]),
    );
  });

  it("has of each decision reviewer, time, what was shown, approval, change, refusal and reason", () => {
    const decisions = entries.filter(({ review }) => review !== undefined);
    const requests = entries.filter(({ outcome }) => outcome === "interrupted");
    expect(decisions.map(({ actor, review }) => [actor?.id, review?.verdict])).toEqual([
      [reviewer, "modified"],
      [reviewer, "rejected"],
    ]);
    const [modified, rejected] = decisions.map((entry) => logger.content(entry));
    expect(modified).toMatchObject({
      input: { before: { name: "pay", args: { amount: 950 } } },
      output: { after: { name: "pay", args: { amount: 900 } } },
    });
    expect(rejected).toMatchObject({ output: { reason: "no press release about payments" } });
    for (const [at, { review, timestamp }] of decisions.entries()) {
      const request = requests[at];
      expect(Date.parse(timestamp)).toBeGreaterThan(Date.parse(request?.timestamp ?? ""));
      expect(review?.inputHash).toBe(request?.inputHash); // the request is what was shown
      expect(JSON.stringify(logger.content(request ?? entries[0]!).input)).toContain("Acme");
    }
  });

  it("has the agent's provenance, tool parameters, tool results, the chain of delegation and approvals", async () => {
    const tools = entries.filter(({ operation }) => operation === "execute_tool");
    const search = tools.find((entry) => entry.run?.toolCallId === "call_s17");
    expect(search?.run).toMatchObject({ agentName: "researcher", calledBy: "call_r17" });
    expect(
      search?.run?.path?.filter((name) => /^(?:supervisor|research|researcher)$/.test(name)),
    ).toEqual(["supervisor", "research", "researcher"]);
    const pay = tools.find((entry) => entry.run?.["toolName"] === "pay");
    expect(logger.content(pay ?? entries[0]!)).toEqual({
      input: { to: "Acme", amount: 900, invoice: 17 },
      output: "paid 900 EUR to Acme",
    });
    expect(pay?.actor?.id).toBe(reviewer);
    const cases = await logger.reviews();
    expect(cases.map(({ decided }) => decided)).toEqual([true, true]);
    for (const entry of entries) expect(entry.actor?.id).toMatch(/^(?:ada|bob)$/);
  });
});
