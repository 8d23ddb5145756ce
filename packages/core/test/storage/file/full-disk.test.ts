import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { AuditLogger, Signer, verifyLog } from "../../../src/index.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const SCRIPT = join(import.meta.dirname, "children/fill-disk.ts");

/** A directory with this much room. */
async function smallDisk(size: string): Promise<string> {
  const path = await temporaryDirectory();
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", path]);
  onTestFinished(() => void spawnSync("umount", [path]));
  return path;
}

interface Said {
  readonly acknowledged?: string;
  readonly refused?: { readonly name: string; readonly code: string };
  readonly cause?: string;
  readonly health?: boolean;
  readonly isRecovered?: boolean;
}

/** Runs the script; `makeRoom` is called when it was refused for the first time. */
async function fill(
  command: string,
  args: string[],
  makeRoom: () => Promise<void>,
): Promise<Said[]> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const said: Said[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const message: Said = JSON.parse(line);
    said.push(message);
    if (message.health === false && message.isRecovered === undefined) {
      await makeRoom();
      child.stdin.write("go on\n");
    }
  }
  return said;
}

async function expectNothingLost(
  path: string,
  said: readonly Said[],
  signer: Signer,
): Promise<void> {
  const acknowledged = said.flatMap((message) => message.acknowledged ?? []);
  await using logger = new AuditLogger(path);
  const kept = new Set((await Array.fromAsync(logger.entries())).map(({ id }) => id));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  // Lines that a refused commit left whole, and without a seal, are no entries to a reader.
  expect([...kept].filter((id) => !acknowledged.includes(id))).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(8);
  const verification = await verifyLog(path, { trustedKeys: [signer.vkey] });
  expect([0, 2]).toContain(verification.exitCode);
  expect(verification.entries).toBeGreaterThanOrEqual(acknowledged.length);
}

async function lossesIn(path: string): Promise<number> {
  let lost = 0;
  for (const file of await readdir(path)) {
    if (!file.endsWith(".jsonl")) continue;
    for (const line of (await readFile(join(path, file), "utf8")).split("\n")) {
      if (line.startsWith('{"type":"loss"')) lost += JSON.parse(line).entries;
    }
  }
  return lost;
}

/**
 * Entries refused for this cause, none acknowledged lost, each loss on record, and health in the
 * end.
 */
async function expectRefusals(path: string, said: readonly Said[], cause: string): Promise<void> {
  const refused = said.filter((message) => message.refused);
  expect(refused.length).toBeGreaterThan(0);
  for (const message of refused) {
    expect(message).toEqual({
      refused: { name: "AuditWriteError", code: "AUDIT_WRITE_FAILED" },
      cause,
    });
  }
  expect(said.at(-1)).toEqual({ isRecovered: true, health: true });
  expect(await lossesIn(path)).toBe(refused.length);
}

describe("A directory's writer", () => {
  it.skipIf(isLeftOut("mount"))(
    "refuses entries on a full disk, loses none acknowledged, records the loss, and goes on when there is room",
    async () => {
      const path = join(await smallDisk("384k"), "log");
      const ballast = join(path, "../ballast");
      await writeFile(ballast, "x".repeat(256 * 1024));
      const signer = await Signer.generate("test");
      const said = await fill(process.execPath, [SCRIPT, path, signer.toPem()], () => rm(ballast));
      await expectRefusals(path, said, "ENOSPC");
      await expectNothingLost(path, said, signer);
    },
  );

  it.skipIf(isLeftOut("mount"))(
    "names a read-only disk as the reason, also where directories are missing",
    async () => {
      const disk = await temporaryDirectory();
      execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "none", disk]);
      onTestFinished(() => void spawnSync("umount", [disk]));
      for (const path of [join(disk, "log"), join(disk, "a/b/log")]) {
        const logger = new AuditLogger(path);
        const refusal = { code: "AUDIT_WRITE_FAILED", cause: { code: "EROFS" } };
        const message = expect.stringContaining("EROFS: read-only file system");
        const refused = rejected(logger.log({ input: "q", output: "a" }));
        expect(await refused).toMatchObject({ ...refusal, message });
        expect(await rejected(logger.ready())).toMatchObject({ ...refusal, message });
        expect((await logger.health()).ok).toBe(false);
        await rejected(logger.close());
      }
    },
  );

  it("goes on in the next segment at a limit on file size, and refuses nothing", async () => {
    const path = join(await temporaryDirectory(), "log");
    const signer = await Signer.generate("test");
    const command = `ulimit -f 40; exec "$0" "$@"`;
    const words = ["-c", command, process.execPath, SCRIPT, path, signer.toPem()];
    const said = await fill("sh", words, async () => undefined);
    expect(said.filter(({ refused }) => refused)).toEqual([]);
    expect(said.at(-1)).toEqual({ isRecovered: true, health: true });
    expect(await lossesIn(path)).toBe(0);
    await expectNothingLost(path, said, signer);
    const files = (await readdir(path)).toSorted();
    expect(files.length).toBeGreaterThan(1);
    const [, again = ""] = (await readFile(join(path, files[1] ?? ""), "utf8")).split("\n");
    expect(JSON.parse(again)).toMatchObject({ type: "again", file: files[0], reason: "EFBIG" });
  });
});
