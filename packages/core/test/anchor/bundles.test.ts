// Bundles of leaves: an anchor log of many runs is read in few files, which are checked as the
// leaves are.
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { AnchorLog } from "../../src/anchor/anchor-log.ts";
import { splitBundle } from "../../src/anchor/record.ts";
import { type AnchorStore, bundleName, directoryStore, leafName } from "../../src/anchor/store.ts";
import { AnchoredLog, anchorer } from "./anchored-log.ts";

/** The files that a reader of the anchor log reads. */
async function filesRead(log: AnchoredLog): Promise<{ names: string[]; read: AnchorLog }> {
  const names: string[] = [];
  const store = directoryStore(log.anchor);
  const counting: AnchorStore = {
    ...store,
    read: async (name) => {
      names.push(name);
      return store.read(name);
    },
  };
  return { read: await AnchorLog.read(counting, anchorer.vkey), names };
}

describe("an anchor log of 260 leaves", { timeout: 60_000 }, () => {
  it("is read from one bundle and four leaves, and a copy of it too", async () => {
    const log = await AnchoredLog.make();
    const copy = await temporaryDirectory();
    const copies = [directoryStore(copy)];
    while (log.state.size < 260) await log.run({ copies });
    const { names, read } = await filesRead(log);
    expect(names).toEqual([bundleName(0), ...[256, 257, 258, 259].map(leafName)]);
    expect(read.flaws).toEqual([]);
    expect(read.size).toBe(260);
    const bundle = join(log.anchor, bundleName(0));
    const text = await readFile(bundle, "utf8");
    const files = splitBundle(text) ?? [];
    const leaves = files.map((_, index) => readFile(join(log.anchor, leafName(index)), "utf8"));
    expect(files).toEqual(await Promise.all(leaves));
    expect(await readFile(join(copy, bundleName(0)), "utf8")).toBe(text);
    expect((await log.verify()).exitCode).toBe(0);

    // Altered, cut or planted, it is found. Without it the leaves are read.
    for (const bad of [
      text.replace('"states":3', '"states":2'),
      text.slice(0, -2),
      `${text}x`,
      "",
    ]) {
      await writeFile(bundle, bad);
      const result = await log.verify();
      expect(result.verdict).toMatch(/^TAMPERED: /);
      expect(result.exitCode).toBe(1);
    }
    await rm(bundle);
    expect((await log.verify()).exitCode).toBe(0);
    await log.run({ copies });
    expect(await readdir(log.anchor)).toContain(bundleName(0));
    expect(await readFile(bundle, "utf8")).toBe(text);
  });
});
