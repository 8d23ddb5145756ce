// Segments that this version cannot read as segments: of a later version, or with a malformed first
// line.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { FileStorage, Signer } from "../../../src/index.ts";
import { testEntry } from "../../../src/testing.ts";

const DAY_MS = 86_400_000;

describe.each([
  ["of a later version", ['"v":1', '"v":2']],
  ["with a malformed first line", ['"seq":0', '"seq":"0"']],
] as const)("A segment %s", (_, [written, changed]) => {
  it("is neither recorded nor removed, and its entries are read", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    const first = new FileStorage({ path, signer });
    const old = testEntry(Date.now() - 400 * DAY_MS);
    await first.append(old.line, old.id);
    await first.close();
    const [file = ""] = await readdir(path);
    const bytes = await readFile(join(path, file), "utf8");
    await writeFile(join(path, file), bytes.replace(written, changed));

    const second = new FileStorage({ path, signer });
    const today = testEntry(Date.now());
    await second.append(today.line, today.id);
    const pruned = await second.prune({
      before: Date.now() - 30 * DAY_MS,
      policy: "30 days",
      actor: "a test",
      now: Date.now(),
    });
    expect(await second.get(old.id)).toBe(old.line);
    await second.close();

    expect({ files: pruned.files, refused: pruned.refused }).toEqual({
      files: [],
      refused: [file],
    });
    const files = await readdir(path);
    expect(files).toContain(file);
    for (const other of files.filter((one) => one !== file))
      expect(await readFile(join(path, other), "utf8")).not.toContain(file);
  });
});
