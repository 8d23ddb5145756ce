import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FileStorage } from "@ai-audit/core";
import { entryToLine } from "@ai-audit/core/format";
import { describe, expect, it } from "vitest";
import { wholeOrNothing } from "../../src/output/whole-or-nothing.ts";
import { cli, start } from "../support/cli.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

/** Enough for a bundle to take a while. */
async function writeLongLog(directory: string): Promise<void> {
  const storage = new FileStorage({ path: directory, durability: "os" });
  const hashes = { inputHash: "0".repeat(64), outputHash: "0".repeat(64) };
  const begin = Date.parse("2026-01-15T00:00:00Z");
  const writes = Array.from({ length: 10_000 }, async (_, at) => {
    const hex = (begin + at).toString(16).padStart(12, "0");
    const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
    await storage.append(
      entryToLine({ id, timestamp: new Date(begin + at).toISOString(), model: "m", ...hashes }),
      id,
    );
  });
  await Promise.all(writes);
  await storage.close();
}

describe("What is made", { timeout: 60_000 }, () => {
  it("is gone where its making failed", async () => {
    const root = await temporaryDirectory();
    const path = join(root, "made");
    const failing = wholeOrNothing(path, async () => {
      await mkdir(path);
      await writeFile(join(path, "half"), "");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await readdir(root)).toEqual([]);
  });

  it("is gone where a signal ends the command, which ends as it would have", async () => {
    const root = await temporaryDirectory();
    const log = join(root, "audit-logs");
    const bundle = join(root, "bundle");
    await writeLongLog(log);
    const running = start(["export", log, "-f", "bundle", "-o", bundle, "--model", "m"]);
    while (!existsSync(join(bundle, "proofs"))) await sleep(5);

    running.process.kill("SIGINT");

    const signal = await new Promise((resolve) =>
      running.process.on("close", (_, by) => resolve(by)),
    );
    expect({ signal, left: await readdir(root) }).toEqual({
      signal: "SIGINT",
      left: ["audit-logs"],
    });
  });

  it("is what another file or directory of that name stays without", async () => {
    const root = await temporaryDirectory();
    const log = join(root, "audit-logs");
    await writeLongLog(log);
    await mkdir(join(root, "there"));
    await writeFile(join(root, "there", "mine"), "");
    for (const format of ["bundle", "parquet", "jsonl"]) {
      expect((await cli(["export", log, "-f", format, "-o", join(root, "there")])).code).toBe(73);
    }
    expect(await readdir(join(root, "there"))).toEqual(["mine"]);
  });
});
