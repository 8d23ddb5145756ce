import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { replaceFile } from "../../src/output/new-files.ts";

describe("A file that is replaced", () => {
  it("has the new text, for its owner alone, and leaves no draft behind", async () => {
    const folder = await temporaryDirectory();
    const path = join(folder, "file");
    await writeFile(path, "old and longer", { mode: 0o644 });
    await replaceFile(path, "new");
    expect(await readFile(path, "utf8")).toBe("new");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("is made where there is none", async () => {
    const path = join(await temporaryDirectory(), "file");
    await replaceFile(path, "new");
    expect(await readFile(path, "utf8")).toBe("new");
  });

  it("leaves no draft where it cannot be replaced", async () => {
    const folder = await temporaryDirectory();
    await mkdir(join(folder, "file", "full"), { recursive: true });
    expect(await rejected(replaceFile(join(folder, "file"), "new"))).toMatchObject({
      syscall: "rename",
    });
    expect(await readdir(folder)).toEqual(["file"]);
  });
});
