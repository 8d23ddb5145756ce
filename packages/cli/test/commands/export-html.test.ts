// ai-audit export --format html, and ai-audit check of the page.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sharedDirectory } from "@ai-audit/test-support/temporary-directory";
import { beforeAll, describe, expect, it } from "vitest";
import { cli } from "../support/cli.ts";
import { type SampleLog, writeSampleLog } from "../support/sample-log.ts";

let sample: SampleLog;
let page: string;

beforeAll(async () => {
  sample = await writeSampleLog(await sharedDirectory());
  page = join(sample.root, "audit.html");
});

describe("export --format html", () => {
  it("writes a page of the entries, which check proves by the key given", async () => {
    const written = await cli(["export", "-f", "html", "-o", page, sample.directory]);
    expect(written).toMatchObject({ code: 0, stderr: "7 entries exported\n" });
    const checked = await cli(["check", page, "--trust", sample.vkey]);
    expect(checked.code).toBe(0);
    expect(checked.stdout.trimEnd().split("\n")).toEqual(
      Array.from({ length: 7 }, () => expect.stringMatching(/^OK: /)),
    );
  });

  it("says which conditions selected the entries", async () => {
    const { code, stdout } = await cli([
      "export",
      "-f",
      "html",
      "--outcome",
      "blocked",
      sample.directory,
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('"selection":"--outcome blocked"');
    expect(stdout).toContain(sample.ids[2]);
    expect(stdout).not.toContain(sample.ids[0]);
  });

  it("makes no page where nothing meets the conditions", async () => {
    const path = join(sample.root, "none.html");
    const { code, stderr } = await cli([
      "export",
      "-f",
      "html",
      "-o",
      path,
      "--model",
      "none",
      sample.directory,
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "nothing exported, and no page made\n" });
    await expect(readFile(path)).rejects.toThrow("ENOENT");
  });

  it("refuses --redact and --decrypt", async () => {
    const { code, stderr } = await cli([
      "export",
      "-f",
      "html",
      "--redact",
      "input",
      sample.directory,
    ]);
    expect(code).toBe(64);
    expect(stderr).toContain("a page holds lines as they were sealed");
  });
});

describe("check audit.html", () => {
  it("names the entry that was altered, with exit code 1", async () => {
    const text = await readFile(page, "utf8");
    const altered = join(sample.root, "altered.html");
    await writeFile(altered, text.replace('outcome\\":\\"blocked', 'outcome\\":\\"allowed'));
    const { code, stdout } = await cli(["check", altered, "--trust", sample.vkey]);
    expect(code).toBe(1);
    expect(stdout).toContain(
      `TAMPERED: the line is not in the tree at this place (${sample.ids[2]})`,
    );
  });

  it("does not run the script of a page, and says that it is another one", async () => {
    const text = await readFile(page, "utf8");
    const altered = join(sample.root, "script.html");
    await writeFile(altered, text.replace('"ALTERED"', '"Proven"'));
    const { code, stdout } = await cli(["check", altered, "--trust", sample.vkey]);
    expect(code).toBe(1);
    expect(stdout).toContain("TAMPERED: script or markup of this page are not those of ai-audit");
  });

  it("calls a page consistent, and not proven, without a key", async () => {
    const { code, stdout } = await cli(["check", page]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^UNKNOWN_KEY: /);
  });

  it("checks the page in a bundle", async () => {
    const bundle = join(sample.root, "bundle");
    await cli(["export", "-f", "bundle", "-o", bundle, sample.directory]);
    const intact = await cli(["check", bundle, "--trust", sample.vkey]);
    expect(intact).toMatchObject({ code: 0 });
    const inside = join(bundle, "audit.html");
    await writeFile(inside, (await readFile(inside, "utf8")).replace('"ALTERED"', '"Proven"'));
    const { code, stdout } = await cli(["check", bundle, "--trust", sample.vkey]);
    expect(code).toBe(1);
    expect(stdout).toContain("TAMPERED: audit.html: script or markup");
  });
});
