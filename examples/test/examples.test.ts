import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const source = (name: string): string =>
  fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));

/** Runs an example as a user would: a process of its own, in an empty directory. */
async function runExample(name: string, cwd: string): Promise<string> {
  const { stdout } = await run(process.execPath, ["--conditions=ai-audit-source", source(name)], {
    cwd,
  });
  return stdout;
}

describe("examples", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "ai-audit-examples-"));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  it("manual logging shows the entry, compares contents and verifies the log", async () => {
    const output = await runExample("manual-logging", directory);
    expect(output).toContain("inputContent: 'What is 2 + 2?'");
    expect(output).toContain("{ input: true, output: false }");
    expect(output).toContain("UNSIGNED: 1 entry in 1 file");
  });

  it("encrypted logging opens with the key and not without it", async () => {
    const output = await runExample("encrypted-logging", directory);
    expect(output).toMatch(/on disk: {3}eyJ/);
    expect(output).toContain("later:     My account number is 4711.");
    expect(output).toMatch(/stranger: {2}The key "\S+" is needed and is not known here/);
  });

  it("the drop-in client answers as before and leaves one entry for each call", async () => {
    const output = await runExample("drop-in-client", directory);
    expect(output.match(/Paris is the capital of France\./g)).toHaveLength(2);
    expect(output).toMatch(/^chat ok \{ user_id: 'u-17' \} \d+\+\d+ tokens$/m);
    expect(output).toMatch(/^responses ok \{ user_id: 'u-17' \} \d+\+\d+ tokens$/m);
  });

  it("the LangChain handler records the model call of a chain", async () => {
    const output = await runExample("langchain-handler", directory);
    expect(output).toContain("chat ok");
  });

  it("a tool over MCP that a person declines is in the logs of both sides", async () => {
    const output = await runExample("mcp-server", directory);
    expect(output).toContain("a.txt is kept.");
    for (const side of ["client", "server"]) {
      expect(output).toContain(`${side} human_review ok rejected`);
      expect(output).toContain(`${side} execute_tool ok delete_file`);
    }
  });

  it("Anthropic's tool runner is a run with each call of the model and its tool", async () => {
    const output = await runExample("anthropic-tools", directory);
    expect(output).toBe(
      "It is sunny in Paris.\nchat ok forecaster \nexecute_tool ok forecaster get_weather\nchat ok forecaster \n",
    );
  });

  it("an agent of the AI SDK asks a person: one tool is approved, one rejected", async () => {
    const output = await runExample("ai-sdk-agent", directory);
    expect(output).toContain("Invoice 18 is still open.");
    expect(output).toContain("human_review ok approved\nexecute_tool ok pay\n");
    expect(output).toContain("human_review ok rejected\nchat ok \n");
    expect(output).not.toContain("execute_tool ok send_mail");
  });

  it("the OpenAI Agents SDK over an audited client is a run with a tool in it", async () => {
    const output = await runExample("agent-openai-agents", directory);
    expect(output).toContain(
      "responses ok forecaster \nexecute_tool ok forecaster call_1\nresponses ok forecaster",
    );
  });

  it("the toy wrapper leaves an entry for an answer, a refusal and a broken stream", async () => {
    const output = await runExample("toy-wrapper", directory);
    expect(output).toContain("ok [] Paris is the capital of France.");
    expect(output).toContain("blocked [ 'anthropic:refusal' ]");
    expect(output).toContain("error [] Paris is the capital of France.");
  });

  it("clean-up and health print the schedule and the figures", async () => {
    const output = await runExample("cleanup-and-health", directory);
    expect(output).toMatch(/next clean-up: \d{4}-\d\d-\d\dT0[01]:00:00\.000Z/); // 02:00 in Berlin
    expect(output).toContain("latencyMs: { p50: 15, p95: 40 }");
  });

  it("the demo verifies its log and catches the tampered copy", async () => {
    const output = await runExample("demo", directory);
    expect(output).toMatch(/Verified: {2}OK: 11 entries in 2 files/);
    expect(output).not.toMatch(/^\S+ {2}- /m); // every entry has an outcome
    expect(output).toMatch(
      /Changed: {3}one byte of a copy, \S*audit-logs\/demo-tampered\/audit_\d{8}\.jsonl: /,
    );
    expect(output).toMatch(/Verified: {2}TAMPERED: /);
    expect(output.match(/are not those that were sealed/g)).toHaveLength(1);
    const [, proven, still] =
      /TAMPERED: (\d+) entries in 2 files.*\n +(\d+) of 11 entries are still proven/.exec(output) ??
      [];
    expect(still).toBe(proven);
    // The log is the repository's own, so there is one of an earlier run now.
    expect(await runExample("demo", directory)).toMatch(
      /^Replaces the demo's earlier log in \S*audit-logs\/demo\n/,
    );
  });

  it("the command can be called where the examples are, on what lies where it is typed", async () => {
    const examples = fileURLToPath(new URL("..", import.meta.url));
    const { scripts } = JSON.parse(await readFile(join(examples, "package.json"), "utf8")) as {
      scripts: Record<"ai-audit", string>;
    };
    const env = { ...process.env, INIT_CWD: directory };
    const called = run("sh", ["-c", `${scripts["ai-audit"]} list nothing-here`], {
      cwd: examples,
      env,
    });
    await expect(called).rejects.toMatchObject({
      code: 66,
      stderr: expect.stringContaining(
        `no log there: ${join(directory, "nothing-here")}\n`,
      ) as string,
    });
  });
});
