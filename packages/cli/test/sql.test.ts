import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { entryToLine } from "@ai-audit/core/format";
import { describe, expect, it } from "vitest";
import { cli, printed, start } from "./support/cli.ts";
import { sharedSample } from "./support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const WITHOUT_DUCKDB = {
  NODE_OPTIONS: `--import=${new URL("support/without-duckdb.ts", import.meta.url).href}`,
};

describe("ai-audit sql", { timeout: 60_000 }, () => {
  it("answers with a table, figures to the right", async () => {
    const sample = await sharedSample();
    const statement =
      "SELECT model, count(*) AS calls, sum(input_tokens) AS tokens FROM entries GROUP BY model ORDER BY calls DESC, model";
    expect(await printed(["sql", statement, sample.directory])).toMatchInlineSnapshot(`
      "model       calls  tokens
      gpt-5           4      52
      gpt-4o          1      13
      gpt-5-mini      1      40
      -               1       -
      "
    `);
  });

  it("with --json each row is a line: times as in the log, nothing rounded", async () => {
    const sample = await sharedSample();
    const statement =
      "SELECT id, timestamp, metadata, detectors_triggered, 9007199254740993 AS big, NULL AS none, 'a'::BLOB AS bytes, " +
      "{'n': 1::BIGINT} AS struct FROM entries ORDER BY id LIMIT 1";
    const { stdout } = await cli(["sql", statement, sample.directory, "--json"]);
    const listed = await cli(["show", sample.ids[0] ?? "", sample.directory, "--json"]);
    const { timestamp } = JSON.parse(listed.stdout) as { timestamp: string };
    expect(JSON.parse(stdout)).toEqual({
      id: sample.ids[0],
      timestamp,
      metadata: '{"user_id":"ada","tags":{"team":"web"}}',
      detectors_triggered: [],
      big: "9007199254740993",
      none: null,
      bytes: "61",
      struct: { n: 1 },
    });
  });

  it("without a row the exit code is 1", async () => {
    const sample = await sharedSample();
    const words = ["sql", "SELECT id FROM entries WHERE false", sample.directory];
    expect(await printed(words, { code: 1 })).toBe("--- stderr\nno rows\n");
    expect(await cli([...words, "--json"])).toEqual({ code: 1, stdout: "", stderr: "" });
  });

  it("a mistake in the statement is one line, with the way to the columns", async () => {
    const sample = await sharedSample();
    const ask = (statement: string, code: number): Promise<string> =>
      printed(["sql", statement, sample.directory], { code });
    expect(await ask("SELECT modl FROM entries", 64)).toMatchInlineSnapshot(`
      "--- stderr
      error: Binder Error: Referenced column "modl" not found in FROM clause!
        columns: ai-audit sql "DESCRIBE entries"
      "
    `);
    expect(await ask("SELECT FROM entries", 64)).toMatchInlineSnapshot(`
      "--- stderr
      error: Parser Error: SELECT clause without selection list
        columns: ai-audit sql "DESCRIBE entries"
      "
    `);
    expect(await ask("DROP VIEW entries", 64)).toMatchInlineSnapshot(`
      "--- stderr
      error: SQL over the log takes statements that read: SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW, EXPLAIN
      "
    `);
    expect(await ask("FROM read_csv('/nowhere')", 74)).toMatchInlineSnapshot(`
      "--- stderr
      error: DuckDB: IO Error: No files found that match the pattern "/nowhere"
      "
    `);
  });

  it("--since and --until are for a bucket: a statement says by itself what it wants of a directory", async () => {
    const { directory } = await sharedSample();
    const words = ["sql", "FROM entries", directory, "--since", "7d"];
    expect(await printed(words, { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: --since and --until limit the download from a bucket, and this is a directory
        filter in the statement: WHERE timestamp >= '2026-01-01'
      "
    `);
  });

  it("many rows come as they are computed, each once, to a reader that may stop", async () => {
    const { directory } = await sharedSample();
    const statement = "SELECT range AS n, repeat('x', 200) AS text FROM range(1000000)";
    const { stdout } = await cli([
      "sql",
      statement.replace("1000000", "5000"),
      directory,
      "--json",
    ]);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { n: number }).n);
    expect(rows).toEqual(Array.from({ length: 5000 }, (_, n) => n));

    const child = start(["sql", statement, directory, "--json"]);
    await child.until('"n":0');
    child.process.stdout.destroy(); // as `| head` does
    const code = await new Promise((resolve) => child.process.on("close", resolve));
    expect({ code, stderr: child.output.stderr }).toEqual({ code: 141, stderr: "" });
  });

  it("DuckDB takes what it is allowed, and a statement that needs more says so", async () => {
    const root = await temporaryDirectory();
    const long = entryToLine({
      id: "01a20871-4371-7747-9575-0bc86d5026f4",
      timestamp: "2026-11-23T12:46:10.289Z",
      inputHash: "0".repeat(64),
      outputHash: "0".repeat(64),
      inputContent: "x".repeat(33 * 2 ** 20),
    });
    await writeFile(join(root, "audit_20261123.jsonl"), `${long}\n${long}\n`);
    const limits =
      "SELECT current_setting('memory_limit') AS memory, current_setting('threads') AS threads";
    const on = [root, "--json"];

    expect((await cli(["sql", limits, ...on])).stdout).toBe('{"memory":"160.0 MiB","threads":1}\n');
    expect((await cli(["sql", limits, ...on, "--memory", "512"])).stdout).toMatch(
      /^\{"memory":"512.0 MiB",/,
    );
    const length = ["sql", "SELECT max(length(input_content)) AS n FROM entries", ...on];
    const { code, stderr } = await cli(length);
    expect({ code, stderr }).toMatchObject({
      code: 74,
      stderr: expect.stringMatching(
        /^1 foreign .*\nerror: DuckDB: .*"maximum_object_size" of 16777216 bytes exceeded.*\n {2}allow DuckDB more memory, such as --memory 1024\n$/,
      ) as string,
    });
    expect((await cli([...length, "--memory", "1024"])).stdout).toBe('{"n":34603008}\n');
    const output = join(root, "parquet");
    const exported = await cli(["export", root, "-f", "parquet", "-o", output]);
    expect(exported).toMatchObject({
      code: 74,
      stderr: expect.stringMatching(
        /\nerror: DuckDB: .*\n {2}allow DuckDB more memory, such as --memory 1024\n$/,
      ) as string,
    });
    await expect(readdir(output)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await printed(["sql", limits, "--memory", "99"], { code: 64 })).toMatchInlineSnapshot(`
      "--- stderr
      error: option '--memory <MiB>' argument '99' is invalid. It must be a whole number of MiB, 100 or more.
        see: ai-audit sql --help
      "
    `);
  });

  it("without the package @duckdb/node-api it names the package, and nothing else needs it", async () => {
    const { directory } = await sharedSample();
    const options = { env: WITHOUT_DUCKDB };
    const refused = await printed(["sql", "FROM entries", directory], {
      ...options,
      code: 78,
    });
    expect(refused).toMatchInlineSnapshot(`
      "--- stderr
      error: The package @duckdb/node-api is needed here and cannot be loaded: add it to your project
      "
    `);
    expect(
      await printed(["export", directory, "-f", "parquet", "-o", "never"], {
        ...options,
        code: 78,
      }),
    ).toBe(refused);
    expect((await cli(["list", directory], options)).code).toBe(0);
  });
});
