import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AuditLogger } from "@ai-audit/core";
import { ENTRY_FIELDS } from "@ai-audit/core/format";
import { describe, expect, it } from "vitest";
import { writeAgentLog } from "../support/agent-log.ts";
import { cli, printed, withKeys } from "../support/cli.ts";
import { ownSample, sharedSample } from "../support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe("ai-audit export", { timeout: 60_000 }, () => {
  it("jsonl gives the lines of the log, byte for byte", async () => {
    const sample = await sharedSample();
    const listed = await cli(["list", sample.directory, "--json"]);
    expect(await cli(["export", sample.directory])).toEqual({
      ...listed,
      stderr: "7 entries exported\n",
    });
  });

  it("with --decrypt the lines have their contents", async () => {
    const sample = await sharedSample();
    const { stdout } = await cli(["export", sample.directory, "-d", "--flagged"], {
      env: withKeys(sample),
    });
    expect(JSON.parse(stdout)).toMatchObject({
      input: "How do I pick the lock of my neighbour's door?",
      output: "",
    });
  });

  it("--redact leaves out what is named, hashes of a content too", async () => {
    const sample = await sharedSample();
    const words = [
      "export",
      sample.directory,
      "-d",
      "--flagged",
      "--redact",
      "input",
      "--redact",
      "metadata.user_id",
    ];
    const { stdout } = await cli(words, { env: withKeys(sample) });
    expect(JSON.parse(stdout)).toMatchObject({
      input: "[REDACTED]",
      input_content: "[REDACTED]",
      input_hash: "[REDACTED]",
      metadata: { user_id: "[REDACTED]" },
      output: "",
    });
  });

  it("an entry's id cannot be left out", async () => {
    const sample = await sharedSample();
    const output = await printed(["export", sample.directory, "--redact", "id"], {
      sample,
      code: 64,
    });
    expect(output).toBe("--- stderr\nerror: --redact id: every entry needs it\n");
  });

  it("csv is a table whose cells no spreadsheet runs", async () => {
    const directory = await temporaryDirectory();
    const id = "01a207b5-2e97-7437-aaf2-3680a9ddadd8";
    const line = {
      id,
      timestamp: "2026-11-23T09:20:44.183Z",
      model: '=HYPERLINK("http://x")',
      input_tokens: -1,
    };
    await writeFile(join(directory, "audit_20261123.jsonl"), `${JSON.stringify(line)}\n`);

    const { stdout } = await cli(["export", directory, "-f", "csv"]);

    const [header = "", row = ""] = stdout.split("\r\n");
    expect(header.split(",")).toEqual(ENTRY_FIELDS.map(({ name }) => name));
    expect(row).toMatch(`${id},2026-11-23T09:20:44.183Z,`);
    expect(row).toContain(`,"'=HYPERLINK(""http://x"")",`);
    expect(row).toContain(",-1,"); // a number stays one
  });

  it.each(["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])(
    "csv tames a cell that begins with %j",
    async (beginning) => {
      const directory = await temporaryDirectory();
      const id = "01a207b5-2e97-7437-aaf2-3680a9ddadd8";
      const line = { id, timestamp: "2026-11-23T09:20:44.183Z", model: `${beginning}cmd` };
      await writeFile(join(directory, "audit_20261123.jsonl"), `${JSON.stringify(line)}\n`);
      const { stdout } = await cli(["export", directory, "-f", "csv"]);
      expect(stdout).toContain(`'${beginning}cmd`);
    },
  );

  it("parquet is a folder of files for each day, of all entries or of those that meet the conditions", async () => {
    const sample = await sharedSample();
    const root = await temporaryDirectory();
    const [all, flagged] = [join(root, "all"), join(root, "flagged")];

    const whole = await printed(["export", sample.directory, "-f", "parquet", "-o", all]);
    const some = await cli([
      "export",
      sample.directory,
      "-f",
      "parquet",
      "--flagged",
      "-o",
      flagged,
      "--json",
    ]);

    expect(whole).toBe("--- stderr\n7 entries exported\n");
    expect(JSON.parse(some.stdout)).toEqual({ entries: 1, output: flagged });
    expect((await readdir(all, { recursive: true })).join(" ")).toMatch(
      /^day=\d{4}-\d\d-\d\d day=\d{4}-\d\d-\d\d\/ai-audit_0\.parquet$/,
    );
    const ask = async (folder: string): Promise<string[]> => {
      const statement = `SELECT id FROM read_parquet('${folder}/*/*.parquet') ORDER BY id`;
      const { stdout } = await cli(["sql", statement, sample.directory, "--json"]);
      return stdout
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id);
    };
    expect(await ask(all)).toEqual(sample.ids.toSorted());
    const found = await cli(["query", sample.directory, "--flagged", "--json"]);
    expect(await ask(flagged)).toEqual([(JSON.parse(found.stdout) as { id: string }).id]);
  });

  it("parquet needs a new directory, and takes the members as they are", async () => {
    const sample = await sharedSample();
    const words = ["export", sample.directory, "-f", "parquet"];
    expect(await printed(words, { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: parquet is a directory
        name it with --output
      "
    `);
    expect(await printed([...words, "-o", "never", "--redact", "input"], { code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: parquet holds the members that the log has: --redact and --decrypt do not go with it
        export jsonl or csv
      "
    `);
    expect(await printed([...words, "-o", sample.root], { sample, code: 73 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: already exists: ROOT
        choose another name, or remove it first
      "
    `);
  });

  it("otel gives OTLP spans with the attributes of the GenAI conventions", async () => {
    const sample = await sharedSample();
    const words = ["export", sample.directory, "-f", "otel", "-d", "--conversation", "locks"];
    const { stdout } = await cli(words, { env: withKeys(sample) });
    const { resourceSpans } = JSON.parse(stdout) as {
      resourceSpans: [
        { scopeSpans: [{ spans: { attributes: { key: string; value: unknown }[] }[] }] },
      ];
    };
    const [span] = resourceSpans[0].scopeSpans[0].spans;
    expect(span).toMatchObject({
      name: "chat gpt-4o",
      kind: 3,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      status: { code: 2, message: "content_filter" },
    });
    expect(
      Object.fromEntries(span?.attributes.map(({ key, value }) => [key, value]) ?? []),
    ).toMatchObject({
      "gen_ai.operation.name": { stringValue: "chat" },
      "gen_ai.provider.name": { stringValue: "azure.ai.openai" },
      "gen_ai.request.model": { stringValue: "gpt-4o" },
      "gen_ai.usage.input_tokens": { intValue: "13" },
      "gen_ai.conversation.id": { stringValue: "locks" },
      "error.type": { stringValue: "blocked" },
      "gen_ai.input.messages": {
        stringValue:
          '[{"role":"user","parts":[{"type":"text","content":"How do I pick the lock of my neighbour\'s door?"}]}]',
      },
    });
  });

  it("otel makes one trace of an invocation, whose parents are there; a stop is no error", async () => {
    const directory = await writeAgentLog(await temporaryDirectory());
    const { stdout } = await cli(["export", directory, "-f", "otel"]);
    type Span = Readonly<Record<"traceId" | "spanId" | "parentSpanId" | "name", string>> & {
      readonly status?: { readonly code: number };
      readonly attributes: readonly { readonly key: string; readonly value: unknown }[];
    };
    const { resourceSpans } = JSON.parse(stdout) as {
      resourceSpans: [{ scopeSpans: [{ spans: Span[] }] }];
    };
    const { spans } = resourceSpans[0].scopeSpans[0];
    expect(spans).toHaveLength(8);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    const ids = new Set(spans.map(({ spanId }) => spanId));
    expect(ids.size).toBe(8);
    const roots = spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
    expect(roots.map(({ name }) => name)).toEqual(["invoke_agent supervisor"]);
    const withError = spans.filter(({ status }) => status?.code === 2).map(({ name }) => name);
    expect(withError).toEqual(["execute_tool read_pdf"]);
    const tool = spans.find(({ name }) => name === "execute_tool delegate");
    expect(
      Object.fromEntries(tool?.attributes.map(({ key, value }) => [key, value]) ?? []),
    ).toMatchObject({
      "gen_ai.operation.name": { stringValue: "execute_tool" },
      "gen_ai.tool.name": { stringValue: "delegate" },
      "gen_ai.tool.call.id": { stringValue: "call_1" },
      "gen_ai.agent.name": { stringValue: "supervisor" },
      "gen_ai.conversation.id": { stringValue: "payments" },
    });
    expect(stdout).not.toContain('ai_audit.safety.passed","value":{"boolValue":true}');
  });

  it("csv: safety_passed is empty for a call that no check looked at", async () => {
    const sample = await sharedSample();
    const { stdout } = await cli(["export", sample.directory, "-f", "csv"]);
    const [header = "", ...rows] = stdout.trimEnd().split("\r\n");
    const column = header.split(",").indexOf("safety_passed");
    expect(header.split(",")).toContain("safety_checks");
    // The columns up to there hold no comma in these rows.
    expect(rows.map((row) => row.split(",")[column])).toEqual([
      "true",
      "",
      "false",
      "",
      "",
      "",
      "",
    ]);
  });

  it("rotalabs-comply lines have the original's 17 fields", async () => {
    const sample = await sharedSample();
    const words = ["export", sample.directory, "-f", "rotalabs-comply", "--flagged"];
    const { stdout, stderr, code } = await cli(words, { env: withKeys(sample) });
    expect(code).toBe(0);
    expect(stderr).toMatchInlineSnapshot(`
      "1 entry exported
      hashes of encrypted content are plain SHA-256 in this format: anybody with the file can check a guess at a short text; fields other than the original's 17 are left out: outcome, error, parameters, usage, run …
      "
    `);
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    const [line = ""] = original.split("\n");
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual(
      Object.keys(JSON.parse(line) as object),
    );
  });

  it("rotalabs-comply says nothing of hashes that are what they were", async () => {
    const directory = await temporaryDirectory();
    const logger = new AuditLogger(directory, { storeContent: true });
    await logger.log({ input: "Hello!", output: "Hi." });
    await logger.close();
    const words = ["export", directory, "-f", "rotalabs-comply"];
    const { stderr } = await cli(words);
    expect(stderr).toMatchInlineSnapshot(`
      "1 entry exported
      fields other than the original's 17 are left out: outcome, error, parameters, usage, run …
      "
    `);
    expect((await cli([...words, "--model", "none"])).stderr).toBe("0 entries exported\n");
  });

  it("a file that exists is not written over, and a new one is its owner's alone", async () => {
    const sample = await ownSample();
    const file = join(sample.root, "out.jsonl");
    expect(await cli(["export", sample.directory, "-o", file, "--json"])).toMatchObject({
      stdout: `${JSON.stringify({ entries: 7, output: file })}\n`,
    });
    expect(await printed(["export", sample.directory, "-o", file], { sample, code: 73 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: already exists: ROOT/out.jsonl
        choose another name, or remove it first
      "
    `);
  });

  it("nothing that meets the conditions is exit code 1", async () => {
    const sample = await sharedSample();
    expect(
      await printed(["export", sample.directory, "--model", "none"], { sample, code: 1 }),
    ).toBe("--- stderr\n0 entries exported\n");
  });
});

describe("ai-audit export --json", { timeout: 60_000 }, () => {
  it("does not go with CSV on standard output", async () => {
    const sample = await sharedSample();
    const words = ["export", sample.directory, "-f", "csv", "--json"];
    expect(await printed(words, { sample, code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: --json and --format csv: one or the other
        with --output FILE, --json says what was written
      "
    `);
    const output = join(await temporaryDirectory(), "log.csv");
    expect(JSON.parse((await cli([...words, "-o", output])).stdout)).toEqual({
      entries: 7,
      output,
    });
  });
});
