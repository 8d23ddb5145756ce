import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { execFile } from "node:child_process";
import {
  appendFile,
  cp,
  mkdir,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { AuditLogger } from "@ai-audit/core";
import { ENTRY_FIELDS } from "@ai-audit/core/format";
import { describe, expect, it } from "vitest";
import { writeAgentLog } from "./support/agent-log.ts";
import { cli, printed, withAllKeys, withKeys } from "./support/cli.ts";
import { writeOldLog } from "./support/old-log.ts";
import { ownSample, sharedSample } from "./support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const run = promisify(execFile);

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

describe("An evidence bundle", { timeout: 60_000 }, () => {
  it("of the whole log is checked by sha256sum, python3 and openssl alone", async () => {
    const sample = await ownSample();
    const bundle = join(sample.root, "bundle");
    await printed(["export", sample.directory, "-f", "bundle", "-o", bundle]);

    expect((await readdir(bundle)).toSorted()).toEqual([
      "README.md",
      "SHA256SUMS",
      "check.py",
      "keys.txt",
      "segments",
    ]);
    await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: bundle });
    const { stdout } = await run("python3", [join(bundle, "check.py"), sample.vkey]);
    expect(stdout).toMatch(/^PROVEN {5}audit_\d{8}\.jsonl: 9 lines\n$/);
    const [segment = ""] = await readdir(join(bundle, "segments"));
    expect(await readFile(join(bundle, "segments", segment))).toEqual(
      await readFile(join(sample.directory, segment)),
    );
    expect(await readFile(join(bundle, "keys.txt"), "utf8")).toBe(`${sample.vkey}\n`);
  });

  it("of selected entries holds their proofs and nothing of the others", async () => {
    const sample = await ownSample();
    const bundle = join(sample.root, "bundle");
    await printed(["export", sample.directory, "-f", "bundle", "-o", bundle, "--flagged"]);

    const id = sample.ids[2] ?? "";
    expect(await readdir(join(bundle, "proofs"))).toEqual([`${id}.tlog-proof`]);
    const { stdout } = await run("python3", [join(bundle, "check.py"), sample.vkey]);
    expect(stdout).toBe(`PROVEN     ${id}: sealed\n`);
    const checked = await cli([
      "check",
      join(bundle, "proofs", `${id}.tlog-proof`),
      "-t",
      sample.vkey,
    ]);
    expect(checked.code).toBe(0);
    const files = (await readdir(bundle, { recursive: true, withFileTypes: true })).filter((file) =>
      file.isFile(),
    );
    const texts = await Promise.all(
      files.map(({ parentPath, name: file }) => readFile(join(parentPath, file), "utf8")),
    );
    expect(texts.filter((text) => text.includes(sample.ids[1] ?? ""))).toEqual([]);
  });

  it("that was altered is found out, and one without a trusted key is not proven", async () => {
    const sample = await ownSample();
    const bundle = join(sample.root, "bundle");
    await printed(["export", sample.directory, "-f", "bundle", "-o", bundle]);
    const script = join(bundle, "check.py");
    await expect(run("python3", [script])).rejects.toMatchObject({ code: 2 });
    const [name = ""] = await readdir(join(bundle, "segments"));
    const segment = join(bundle, "segments", name);
    const text = await readFile(segment, "utf8");

    await writeFile(segment, text.replace('"eve"', '"bob"'));
    await expect(run("python3", [script, sample.vkey])).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^ALTERED {4}\S+: altered before line 7\n$/) as string,
    });
    const cut = text.lastIndexOf("— example.com/audit ") + "— example.com/audit ".length + 12;
    await writeFile(
      segment,
      text.slice(0, cut) + (text[cut] === "A" ? "B" : "A") + text.slice(cut + 1),
    );
    await expect(run("python3", [script, sample.vkey])).rejects.toMatchObject({ code: 1 });
    await writeFile(segment, text);
    await appendFile(segment, '{"id":"forged"}\n');
    await expect(run("python3", [script, sample.vkey])).rejects.toMatchObject({ code: 2 });
  });

  describe("is checked by check.py and by `ai-audit check`, which agree", () => {
    const rows: readonly {
      readonly what: string;
      readonly flags: readonly string[];
      readonly act: (bundle: string) => Promise<void>;
      readonly code: number;
    }[] = [
      { what: "untouched files", flags: [], act: async () => {}, code: 0 },
      { what: "untouched entries", flags: ["--flagged"], act: async () => {}, code: 0 },
      {
        what: "no files at all",
        flags: [],
        act: async (bundle) => rm(join(bundle, "segments"), { recursive: true }),
        code: 1,
      },
      {
        what: "an empty list of entries",
        flags: ["--flagged"],
        act: async (bundle) => {
          await writeFile(join(bundle, "entries.jsonl"), "");
          await rm(join(bundle, "proofs"), { recursive: true });
          await writeFile(join(bundle, "SHA256SUMS"), "");
        },
        code: 3,
      },
      {
        what: "no manifest",
        flags: [],
        act: async (bundle) => rm(join(bundle, "SHA256SUMS")),
        code: 3,
      },
      {
        what: "one file less than the others record, and none in the manifest",
        flags: [],
        act: async (bundle) => {
          const [first = ""] = await readdir(join(bundle, "segments"));
          await rm(join(bundle, "segments", first));
          const manifest = await readFile(join(bundle, "SHA256SUMS"), "utf8");
          const others = manifest.split("\n").filter((line) => !line.includes(first));
          await writeFile(join(bundle, "SHA256SUMS"), others.join("\n"));
        },
        code: 1,
      },
      {
        what: "a proof less",
        flags: ["--flagged"],
        act: async (bundle) => rm(join(bundle, "proofs"), { recursive: true }),
        code: 1,
      },
    ];

    it.each(rows)("$what: $code", async ({ flags, act, code }) => {
      const sample = await ownSample();
      await writeOldLog(sample.directory, ["2024-01-01", "2024-01-02"], sample.signingKey);
      const bundle = join(sample.root, "bundle");
      await printed(["export", sample.directory, "-f", "bundle", "-o", bundle, ...flags]);
      await act(bundle);
      const script = await run("python3", [join(bundle, "check.py"), sample.vkey]).then(
        () => ({ code: 0 }),
        (error: unknown) => error,
      );
      expect(script).toMatchObject({ code });
      expect(await cli(["check", bundle, "-t", sample.vkey])).toMatchObject({ code });
    });

    it.each([
      ["there is none", ""],
      ["it knows no -rawin, as LibreSSL", "#!/bin/sh\necho 'Unknown option: -rawin' >&2\nexit 1\n"],
      ["it says yes to everything", "#!/bin/sh\nexit 0\n"],
    ])("check.py accuses nobody where openssl cannot check: %s", async (_, stub) => {
      const sample = await ownSample();
      const bundle = join(sample.root, "bundle");
      await printed(["export", sample.directory, "-f", "bundle", "-o", bundle]);
      const bin = join(sample.root, "bin");
      await mkdir(bin);
      if (stub !== "") await writeFile(join(bin, "openssl"), stub, { mode: 0o755 });
      const python = (
        await run("python3", ["-c", "import sys; print(sys.executable)"])
      ).stdout.trim();
      const env = { ...process.env, PATH: bin };
      await expect(
        run(python, [join(bundle, "check.py"), sample.vkey], { env }),
      ).rejects.toMatchObject({
        code: 3,
        stdout: "",
        stderr: expect.stringMatching(/^NOT CHECKED: /) as string,
      });
    });
  });

  it("holds lines as they were sealed: nothing can be redacted in it", async () => {
    const sample = await ownSample();
    const words = [
      "export",
      sample.directory,
      "-f",
      "bundle",
      "-o",
      join(sample.root, "b"),
      "--redact",
      "input",
    ];
    expect(await printed(words, { sample, code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: a bundle holds lines as they were sealed: --redact and --decrypt do not go with it
        export jsonl beside it
      "
    `);
    expect(await printed(["export", sample.directory, "-f", "bundle"], { sample, code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: a bundle is a directory
        name it with --output
      "
    `);
  });
});

describe("ai-audit import", { timeout: 60_000 }, () => {
  it("the original's entries are sealed under their own time, once", async () => {
    const log = join(await temporaryDirectory(), "log");
    const words = ["import", join(ORIGINAL_LOGS, "plain"), log];

    expect(await printed(words)).toBe("12 entries imported, 0 were already there\n");
    expect(await printed(words)).toBe("0 entries imported, 12 were already there\n");

    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    const { stdout } = await cli(["export", log]);
    const imported = records(stdout);
    expect(imported).toHaveLength(12);
    for (const record of records(original)) {
      const { id, timestamp, metadata, ...fields } = record;
      const copy = imported.find(
        (candidate) => Object(candidate["metadata"])["imported_id"] === id,
      );
      expect(copy).toMatchObject({
        ...fields,
        timestamp: `${String(timestamp).slice(0, 23)}Z`,
        metadata: metadata as object,
      });
    }
    expect((await cli(["verify", log])).stdout).toMatch(/^UNSIGNED: 12 entries in 1 file;/);
  });

  it("an entry that stands twice in the source is imported once", async () => {
    const root = await temporaryDirectory();
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    await writeFile(join(root, "audit_20261123.jsonl"), original + original);
    expect(await printed(["import", root, join(root, "log")])).toBe(
      "12 entries imported, 12 were already there\n",
    );
  });

  it("Fernet content is opened with its key and encrypted for the entry that now holds it", async () => {
    const log = join(await temporaryDirectory(), "log");
    const env = {
      AUDIT_ENCRYPTION_KEY: (await readFile(join(ORIGINAL_LOGS, "key.txt"), "utf8")).trim(),
    };
    const words = ["import", join(ORIGINAL_LOGS, "encrypted"), log];
    expect(await printed(words, { code: 78 })).toMatchInlineSnapshot(`
      "--- stderr
      error: input of 840ff467-5a50-48b8-ae0f-efa737c56cc2 is encrypted: give the logger encryption
        put the key into AUDIT_ENCRYPTION_KEY
      "
    `);

    expect(await printed(words, { env })).toBe("12 entries imported, 0 were already there\n");

    const before = await cli(["export", join(ORIGINAL_LOGS, "encrypted"), "-d"], { env });
    const after = await cli(["export", log, "-d"], { env });
    expect(contents(after.stdout)).toEqual(contents(before.stdout));
    expect(after.stdout).not.toContain("Z0FBQUFB"); // how the original's Fernet tokens begin
  });

  it("lines that are no entries are left out, counted and named, with exit code 65", async () => {
    const root = await temporaryDirectory();
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    const [first = "", second = "", ...rest] = original.trimEnd().split("\n");
    const timeless = second.replace(/"timestamp": "[^"]*"/, '"timestamp": "yesterday"');
    const bad = ["not JSON: a secret", '{"id": "x"}', timeless, '"text"', "[1, 2]", "{}"];
    await writeFile(
      join(root, "audit_20261123.jsonl"),
      [first, ...bad, "", ...rest, '{"id": "torn'].join("\n"),
    );
    await writeFile(join(root, "notes.jsonl"), "of somebody\n");
    const words = ["import", root, join(root, "log")];

    expect(await printed(words, { code: 65 })).toMatchInlineSnapshot(`
      "11 entries imported, 0 were already there
      --- stderr
      6 lines not imported, as they are not entries:
        audit_20260101.jsonl:2  not JSON
        audit_20260101.jsonl:3  not an entry: it has no id or timestamp, or has a type
        audit_20260101.jsonl:4  its timestamp is not a time
        audit_20260101.jsonl:5  not an entry: it has no id or timestamp, or has a type
        audit_20260101.jsonl:6  not an entry: it has no id or timestamp, or has a type
        and 1 more
      not imported: audit_20260101.jsonl:19  its writer did not finish it
      not read, without a name like audit_YYYYMMDD.jsonl: notes.jsonl
      "
    `);
    expect(
      (await cli(["list", join(root, "log"), "--json"])).stdout.trim().split("\n"),
    ).toHaveLength(11);
    expect((await cli([...words, "--accept-unreadable"])).code).toBe(0);
    const { code, stdout, stderr } = await cli([...words, "--json"]);
    expect({ code, stderr }).toEqual({ code: 65, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      imported: 0,
      skipped: 11,
      unreadable: 6,
      firstUnreadable: [2, 3, 4, 5, 6].map((line) => ({ file: "audit_20261123.jsonl", line })),
      torn: [{ file: "audit_20261123.jsonl", line: 19 }],
      otherFiles: ["notes.jsonl"],
    });
  });

  it("a last line that its writer did not finish is named, and no failure", async () => {
    const root = await temporaryDirectory();
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    await writeFile(join(root, "audit_20261123.jsonl"), original.slice(0, -40));
    expect(await printed(["import", root, join(root, "log")])).toMatchInlineSnapshot(`
      "11 entries imported, 0 were already there
      --- stderr
      not imported: audit_20260101.jsonl:12  its writer did not finish it
      "
    `);
    await writeFile(join(root, "audit_20261123.jsonl"), original.trimEnd());
    expect(await printed(["import", root, join(root, "log")], { code: 65 })).toMatchInlineSnapshot(`
      "0 entries imported, 11 were already there
      --- stderr
      1 line not imported, as they are not entries:
        audit_20260101.jsonl:12  an entry without its line feed
      "
    `);
  });

  it("entries that a reader does not get to, behind an empty first line, are not passed over in silence", async () => {
    const root = await temporaryDirectory();
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    await writeFile(join(root, "audit_20261123.jsonl"), `\n${original}`);
    expect(await printed(["import", root, join(root, "log")], { code: 65 })).toMatchInlineSnapshot(`
      "0 entries imported, 0 were already there
      --- stderr
      12 entries not imported: the first line of a file is unreadable
      "
    `);
  });

  it("a log is not imported into itself, nor any log of ours, and nothing is written", async () => {
    const root = await temporaryDirectory();
    const original = join(root, "original");
    await cp(join(ORIGINAL_LOGS, "plain"), original, { recursive: true });
    await symlink(original, join(root, "link"));
    const words = ["import", original, join(root, "link")];
    expect((await printed(words, { code: 64 })).replaceAll(root, "ROOT")).toMatchInlineSnapshot(`
      "--- stderr
      error: the source is also the target: ROOT/original
        name another one: ai-audit import SOURCE LOCATION
      "
    `);
    expect(await readdir(original)).toEqual(await readdir(join(ORIGINAL_LOGS, "plain")));

    const sample = await sharedSample();
    const other = ["import", sample.directory, join(root, "log")];
    expect(await printed(other, { sample, code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: ROOT/audit-logs holds files of ai-audit, which are already sealed: audit_20260101.jsonl
        copy them as they are, or use ai-audit export; put files of rotalabs-comply into a separate directory
      "
    `);
    await expect(stat(join(root, "log"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("content that does not have its hash is imported with an alert, and exit code 65", async () => {
    const root = await temporaryDirectory();
    const original = await readFile(join(ORIGINAL_LOGS, "plain/audit_20261123.jsonl"), "utf8");
    const [line = ""] = original
      .split("\n")
      .filter((text) => !text.includes('"input_content": null'));
    await writeFile(
      join(root, "audit_20261123.jsonl"),
      `${line.replace(/"input_content": "/, "$&altered ")}\n`,
    );

    const output = await printed(["import", root, join(root, "log")], { code: 65 });

    expect(output).toMatchInlineSnapshot(`
      "1 entry imported, 0 were already there
      --- stderr
      1 entry had content that does not match its hash; imported with an alert
      "
    `);
    const { stdout } = await cli(["export", join(root, "log")]);
    expect(stdout).toMatch(
      /"alerts":\[.*"ai-audit: imported input did not have its hash [0-9a-f]{64}"\]/,
    );
  });
});

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

function contents(text: string): unknown[] {
  return records(text).map(({ input, output }) => ({ input, output }));
}

function records(text: string): Record<string, unknown>[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
