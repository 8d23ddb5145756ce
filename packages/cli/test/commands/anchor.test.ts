// The command that anchors a log, and verify and pin with its anchor log.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli } from "../support/cli.ts";
import { firstFile } from "../support/first-file.ts";
import { ownSample } from "../support/samples.ts";

/** A sample log, and the words of an anchor log of it that was just made. */
async function anchoredSample() {
  const sample = await ownSample();
  const to = join(sample.root, "anchor");
  const key = join(sample.root, "anchor.key");
  const words = ["anchor", sample.directory, "-t", sample.vkey, "--to", to, "--key", key];
  const made = await cli([
    "anchor",
    "--init",
    "--name",
    "example.com/acme",
    "--to",
    to,
    "--key",
    key,
  ]);
  expect(made).toMatchObject({ code: 0 });
  const vkey = made.stdout.trim();
  const verify = [
    "verify",
    sample.directory,
    "-t",
    sample.vkey,
    "--anchor",
    to,
    "--anchor-key",
    vkey,
  ];
  return { sample, to, key, words, vkey, verify };
}

describe("ai-audit anchor", { timeout: 60_000 }, () => {
  it("anchors a log, and verify says through when", async () => {
    const { words, verify, vkey, to } = await anchoredSample();
    expect(vkey).toMatch(/^example\.com\/acme\/anchor-[0-9a-f]{8}\+[0-9a-f]{8}\+/);
    const run = await cli(words);
    expect(run).toMatchObject({ code: 0, stdout: "anchored 1 segment in leaf 1\n" });
    expect(await cli(words)).toMatchObject({ stdout: "anchored 0 segments in leaf 2\n" });
    const { code, stdout } = await cli(verify);
    expect(stdout).toContain(
      "by the anchorer's own clock, with nobody beyond its reach to confirm it",
    );
    expect(stdout).toContain("0 entries later; unprotected window");
    const twice = await cli([...verify, "--anchor", to, "--anchor-key", vkey]);
    expect(twice.stdout.match(/anchored through/g)).toHaveLength(2);
    expect(code).toBe(0);
  });

  it("a log that was cut off after it was anchored is a ROLLBACK, also without the log's key", async () => {
    const { sample, words, verify } = await anchoredSample();
    await cli(words);
    const file = await firstFile(sample);
    const lines = (await readFile(file, "utf8")).split("\n");
    await writeFile(file, `${lines.slice(0, 7).join("\n")}\n`);
    const { code, stdout } = await cli(verify);
    expect(stdout).toMatch(/^ROLLBACK: .*: the anchor of \S+Z records 9 leaves; 4 are there/);
    expect(code).toBe(1);
    const again = await cli(words);
    expect(again.stdout).toContain(": ROLLBACK anchored at 9 leaves; 4 are there");
    expect(again.code).toBe(1);
  });

  it("without its state no run begins", async () => {
    const { words, key } = await anchoredSample();
    await rm(`${key}.state`);
    const { code, stderr } = await cli(words);
    expect(stderr).toContain("begin a new anchor log that continues this one");
    expect(code).toBe(78);
  });

  it("an anchor log that is older than the state is refused", async () => {
    const { words, to } = await anchoredSample();
    await cli(words);
    await rm(join(to, "leaf_0000000001"));
    const { code, stderr } = await cli(words);
    expect(stderr).toContain("the anchor log has 1 leaf, and had 2 after the last run");
    expect(code).toBe(1);
  });

  it("one pin of the anchor log is enough to notice that it was cut", async () => {
    const { sample, words, verify, to } = await anchoredSample();
    await cli(words);
    const pin = join(sample.root, "anchor.pin");
    expect(await cli(["pin", ...verify.slice(1), "-o", pin])).toMatchObject({ code: 0 });
    expect(await readFile(pin, "utf8")).toMatch(
      /^# noted \S+\nexample\.com\/acme\/anchor-\w+\n2\n/,
    );
    expect(await cli([...verify, "-p", pin])).toMatchObject({ code: 0 });
    await rm(join(to, "leaf_0000000001"));
    const { code, stdout } = await cli([...verify, "-p", pin]);
    expect(stdout).toContain("it has 1 leaf, and a pin records 2");
    expect(code).toBe(1);
  });

  it("needs a trusted key, a name for a new anchor log, and an anchor log for its options", async () => {
    const { sample, to, key, words, verify } = await anchoredSample();
    const without = words.filter((word) => word !== "-t" && word !== sample.vkey);
    expect(await cli(without)).toMatchObject({ code: 64 });
    expect(await cli(["anchor", "--init", "--to", to, "--key", `${key}2`])).toMatchObject({
      code: 64,
    });
    expect(await cli(["verify", sample.directory, "--quorum", "2"])).toMatchObject({ code: 64 });
    expect(await cli(verify.slice(0, -2))).toMatchObject({ code: 64 });
  });
});
